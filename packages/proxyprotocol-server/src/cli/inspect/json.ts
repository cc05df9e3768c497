// The explanation as data, for scripts and reports.

import { explainFault } from '../../explain/index.ts'
import { asciiOnly } from '../../log/index.ts'
import { fieldsOf, type Inspection } from './report.ts'

/** One line of JSON; bytes in hexadecimal. */
export function reportJson({ bytes, result }: Inspection): string {
  if (result.status !== 'header') {
    const { status } = result
    const { title: message, wanted, offset, got, checksum } = explainFault(bytes, result)
    const code = status === 'invalid' ? result.code : undefined
    return line({ status, code, offset, message, wanted, checksum, got })
  }
  const { status, header, byteLength } = result
  const fields = fieldsOf(bytes, result)
  return line({ status, byteLength, header, fields, payload: new Uint8Array(bytes.subarray(byteLength)) })
}

function line(value: unknown): string {
  const json = JSON.stringify(value, (_, inside: unknown) =>
    inside instanceof Uint8Array ? Buffer.from(inside).toString('hex') : inside,
  )
  return `${asciiOnly(json)}\n`
}
