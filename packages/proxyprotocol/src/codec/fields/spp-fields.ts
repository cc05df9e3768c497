// The fields of Simple Proxy Protocol.

import type { SppHeader } from '../spp.ts'
import { FieldList, type HeaderField } from './field-list.ts'

/**
 * The fields of a header of Simple Proxy Protocol, in order and without a gap. `section` is empty: the
 * specification does not describe them.
 *
 * @example
 * ```ts run
 * import { sppFields } from 'proxyprotocol'
 *
 * const source = { address: '192.0.2.1', port: 5353 }
 * const destination = { address: '198.51.100.7', port: 53 }
 * console.log(sppFields({ source, destination }).map(({ name }) => name).join(', '))
 * ```
 */
export function sppFields({ source, destination }: SppHeader): readonly HeaderField[] {
  return new FieldList(0, '')
    .add('signature', 2, 'Simple Proxy Protocol')
    .add('source address', 16, source.address)
    .add('destination address', 16, destination.address)
    .add('source port', 2, String(source.port))
    .add('destination port', 2, String(destination.port)).fields
}
