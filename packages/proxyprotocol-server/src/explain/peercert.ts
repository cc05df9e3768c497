// The client's certificate in the private extension of the Python library is deflated. The codec has no zlib, so what shows a
// header puts the text in.

import { extensionType, readTlvs, type HeaderField, type ProxyHeader } from 'proxyprotocol'

/** The deflated certificate of a header, if it has one. */
export function deflatedPeercert(header: ProxyHeader): Uint8Array | undefined {
  return readTlvs(header).extension?.find(({ type }) => type === extensionType.peercert)?.value
}

/** The same fields, in which the first certificate of the extension says this text. */
export function withPeercert(fields: readonly HeaderField[], text: string): readonly HeaderField[] {
  let isOpen = true
  const said = (field: HeaderField): HeaderField => {
    if (isOpen && field.name === 'peercert') {
      isOpen = false
      return { ...field, value: text }
    }
    return field.fields.length === 0 ? field : { ...field, fields: field.fields.map(said) }
  }
  return fields.map(said)
}
