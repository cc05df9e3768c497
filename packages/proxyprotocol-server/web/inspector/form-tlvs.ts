// The TLVs of the form, also those inside an SSL TLV.

import { tlvType } from 'proxyprotocol'
import type { TlvDraft } from './draft.ts'
import { element } from '../element.ts'
import { entry } from './form-input.ts'

const KNOWN_TYPES: readonly (readonly [name: string, type: number])[] = Object.entries(tlvType).filter(
  ([, type]) => type < tlvType.sslVersion || type > tlvType.sslClientCert,
)
const SSL_TYPES: readonly (readonly [name: string, type: number])[] = Object.entries(tlvType).filter(
  ([, type]) => type >= tlvType.sslVersion && type <= tlvType.sslClientCert,
)
const CLIENT_BITS = ['TLS', 'certificate now', 'certificate earlier']
/** The range for custom use. */
const CUSTOM_TYPE = 0xe5
const FIRST_SSL = { client: 1, verify: '0', tlvs: [{ type: tlvType.sslVersion, value: 'TLSv1.3' }] } as const

interface ListOptions {
  readonly id: string
  readonly isInSsl: boolean
  readonly set: (tlvs: readonly TlvDraft[], again: boolean) => void
}

export function tlvRows(tlvs: readonly TlvDraft[], { id, isInSsl, set }: ListOptions): HTMLElement {
  const types = isInSsl ? SSL_TYPES : KNOWN_TYPES
  let now = tlvs
  const put = (index: number, changed: readonly TlvDraft[], again: boolean): void => {
    now = [...now.slice(0, index), ...changed, ...now.slice(index + 1)]
    set(now, again)
  }
  const rows = tlvs.map((each, index) =>
    tlvRow(each, { types, id: `${id}${index}`, set: (to, again) => put(index, to ? [to] : [], again) }),
  )
  const label = isInSsl ? 'Add to ssl' : 'Add a TLV'
  const add = element('select', { id: `${id}-add`, 'aria-label': label })
  add.append(new Option(`${label} …`, ''))
  for (const [name, type] of [...types, ['another type', CUSTOM_TYPE] as const]) {
    add.append(new Option(name, String(type)))
  }
  add.addEventListener('change', () => put(now.length, [freshTlv(Number(add.value))], true))
  return element('div', { class: 'tlvs' }, ...rows, element('div', { class: 'row' }, add))
}

function freshTlv(type: number): TlvDraft {
  return { type, value: '', ssl: type === tlvType.ssl ? FIRST_SSL : undefined }
}

interface RowOptions {
  readonly types: typeof KNOWN_TYPES
  readonly id: string
  readonly set: (tlv: TlvDraft | undefined, again: boolean) => void
}

function tlvRow(tlv: TlvDraft, { types, id, set }: RowOptions): HTMLElement {
  const { type, ssl } = tlv
  const name = types.find(([, known]) => known === type)?.[0]
  let now = tlv
  const change = (part: Partial<TlvDraft>, again = false): void => {
    now = { ...now, ...part }
    set(now, again)
  }
  const typeInput =
    name === undefined
      ? entry(`${id}-type`, 'type', {
          value: `0x${type.toString(16).padStart(2, '0')}`,
          narrow: true,
          set: text => change({ type: typeOf(text) }),
        })
      : element('span', { class: 'label' }, name)
  const value =
    type === tlvType.checksum
      ? element('span', { class: 'note' }, 'CRC-32C, computed')
      : ssl
        ? element('span', { class: 'push' })
        : entry(id, `value${name === undefined ? '' : ` of ${name}`}`, {
            value: tlv.value,
            hidden: true,
            set: text => change({ value: text }),
          })
  const remove = element(
    'button',
    { type: 'button', 'aria-label': `Remove ${name ?? 'this TLV'}`, class: 'remove' },
    '×',
  )
  remove.addEventListener('click', () => set(undefined, true))
  const head = element('div', { class: 'row' }, typeInput, value, remove)
  return element(
    'div',
    { class: 'tlv' },
    head,
    ssl && sslInputs(ssl, id, (to, again) => change({ ssl: to }, again)),
  )
}

type Ssl = NonNullable<TlvDraft['ssl']>

function sslInputs(ssl: Ssl, id: string, set: (ssl: Ssl, again: boolean) => void): HTMLElement {
  let now = ssl
  const change = (part: Partial<Ssl>, again = false): void => {
    now = { ...now, ...part }
    set(now, again)
  }
  const bits = CLIENT_BITS.map((label, bit) => {
    const box = element('input', { type: 'checkbox', id: `${id}-bit${bit}` })
    box.checked = (ssl.client & (1 << bit)) !== 0
    box.addEventListener('change', () =>
      change({ client: box.checked ? now.client | (1 << bit) : now.client & ~(1 << bit) }),
    )
    return element('label', { class: 'check' }, box, label)
  })
  const verify = entry(`${id}-verify`, 'verify', {
    value: ssl.verify,
    narrow: true,
    set: text => change({ verify: text }),
  })
  const inside = tlvRows(ssl.tlvs, {
    id: `${id}-sub`,
    isInSsl: true,
    set: (tlvs, again) => change({ tlvs }, again),
  })
  return element('div', { class: 'ssl' }, element('div', { class: 'row' }, ...bits, verify), inside)
}

function typeOf(text: string): number {
  return /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text.trim()) ? Number(text) : NaN
}
