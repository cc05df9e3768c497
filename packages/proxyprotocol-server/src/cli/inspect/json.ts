// The explanation as data, for scripts and reports.

import { sppFields } from 'proxyprotocol'
import { explainFault } from '../../explain/index.ts'
import { asciiOnly } from '../../log/index.ts'
import { fieldsOf, type Inspection, SPP_BYTES } from './report.ts'

/** One line of JSON; bytes in hexadecimal. */
export function reportJson({ bytes, result, spp }: Inspection): string {
  if (spp) {
    const payload = new Uint8Array(bytes.subarray(SPP_BYTES))
    return line({
      status: 'header',
      protocol: 'spp',
      byteLength: SPP_BYTES,
      header: spp,
      fields: sppFields(spp),
      payload,
    })
  }
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
