// The Python library deflates the certificate in its extension. The codec has no zlib, so each view inflates it.

import { extensionType, readTlvs, type HeaderField, type ProxyHeader } from 'proxyprotocol'

export function deflatedPeercert(header: ProxyHeader): Uint8Array | undefined {
  return readTlvs(header).extension?.find(({ type }) => type === extensionType.peercert)?.value
}

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
