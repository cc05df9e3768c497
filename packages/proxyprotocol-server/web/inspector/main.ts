// The view that made a change is not re-rendered.

import type { Endpoint, ProxyHeader, SppHeader } from 'proxyprotocol'
import { bytesFromText, deflatedPeercert, plainHex } from '../../src/explain/index.ts'
import { BytesView } from './bytes-view.ts'
import { configurationFor } from './configuration-view.ts'
import { draftBefore } from './draft-before.ts'
import { draftOf, firstDraft, type Draft } from './draft.ts'
import { byId, element } from '../element.ts'
import { copyFrom } from './copy.ts'
import { examples } from './examples.ts'
import { detailOf, FieldsView, shown } from './fields-view.ts'
import { HeaderForm } from './form.ts'
import { headerWithin, inspect, type Inspection } from './inspection.ts'
import { inflatedText } from './peercert.ts'

type Origin = 'text' | 'form' | 'bytes' | 'link'

const CHECKSUM_VALUE_AT = 3
/** Browsers refuse to change an address some hundred times in half a minute. */
const LINK_DELAY = 250
const text = byId('text', HTMLTextAreaElement)
const format = byId('format', HTMLOutputElement)
const verdict = byId('verdict', HTMLElement)
const detail = byId('detail', HTMLElement)
const configuration = byId('configuration', HTMLElement)
const narrow = matchMedia('(max-width: 42rem)')

let inspection: Inspection = inspect(new Uint8Array())
let chosen: number | undefined
let linkTimer: number | undefined

const bytesView = new BytesView(byId('grid', HTMLElement), {
  onPoint: at => point(at === undefined ? undefined : inspection.entryAt[at]),
  onFocus: at => choose(inspection.entryAt[at]),
  onChange: (at, value) => {
    const bytes = inspection.bytes.slice()
    bytes[at] = value
    show(bytes, 'bytes')
  },
})
const fieldsView = new FieldsView(byId('fields', HTMLElement), { onPoint: point, onFocus: choose })
const form = new HeaderForm(bytes => show(bytes, 'form'))

text.addEventListener('input', () => readText('text'))
narrow.addEventListener('change', () => bytesView.render(inspection, rowBytes()))
addEventListener('hashchange', readLink)
const copyLink = byId('copy-link', HTMLButtonElement)
copyLink.addEventListener('click', () => {
  writeLink()
  void copyFrom(copyLink, location.href)
})
const copyHex = byId('copy-hex', HTMLButtonElement)
copyHex.addEventListener('click', () => void copyFrom(copyHex, plainHex(inspection.bytes)))
byId('examples', HTMLElement).append(
  ...examples.map(({ name, text: example }) => {
    const button = element('button', { type: 'button' }, name)
    button.addEventListener('click', () => {
      text.value = example
      readText('text')
    })
    return button
  }),
)
form.show(firstDraft)
if (location.hash.length > 1) readLink()
else start()

function start(): void {
  const { arrived = '' } = document.body.dataset
  text.value = arrived || (examples[0]?.text ?? '')
  if (arrived) byId('input-title', HTMLElement).append(' with which this connection began')
  readText('link')
}

function readLink(): void {
  const linked = location.hash.slice(1)
  if (linked === plainHex(inspection.bytes)) return
  try {
    text.value = decodeURIComponent(linked)
  } catch {
    text.value = linked // a literal percent sign
  }
  readText('link')
}

function readText(origin: 'text' | 'link'): void {
  const read = bytesFromText(text.value)
  const bytes = read?.bytes ?? new TextEncoder().encode(text.value)
  show(bytes, origin)
  const half = read?.halfByte ? ', but for a last digit that has no other' : ''
  if (bytes.length > 0) format.textContent = `read as ${read?.format ?? 'text'}, ${count(bytes)}${half}`
}

function show(bytes: Uint8Array, origin: Origin): void {
  inspection = inspect(bytes)
  chosen = undefined
  const { result, fault } = inspection
  if (origin === 'form' || origin === 'bytes') text.value = plainHex(bytes)
  clearTimeout(linkTimer)
  if (origin !== 'link') linkTimer = setTimeout(writeLink, LINK_DELAY)
  format.textContent = bytes.length === 0 ? '' : count(bytes)
  verdict.replaceChildren(...verdictOf(inspection))
  verdict.className = `verdict ${inspection.spp ? 'header spp' : result.status}`
  bytesView.render(inspection, rowBytes())
  fieldsView.render(inspection)
  const header = result.status === 'header' ? result.header : undefined
  configuration.replaceChildren(...(inspection.spp ? [] : configurationFor(header)))
  if (origin !== 'form') form.show(draftFor(inspection))
  const isEmpty = inspection.entries.length === 0
  byId('fields-section', HTMLElement).hidden = isEmpty
  detail.hidden = isEmpty
  byId('views', HTMLElement).hidden = bytes.length === 0
  byId('edit-help', HTMLElement).hidden = !fault
  showEntry(undefined)
  if (result.status === 'header') void showPeercert(result.header)
}

async function showPeercert(header: ProxyHeader): Promise<void> {
  const { bytes } = inspection
  const deflated = deflatedPeercert(header)
  const peercert = deflated && (await inflatedText(deflated))
  if (peercert === undefined || inspection.bytes !== bytes) return
  inspection = inspect(bytes, peercert)
  fieldsView.render(inspection)
  showEntry(chosen)
}

function draftFor({ bytes, result, spp, entries }: Inspection): Draft {
  if (spp) return form.draft
  if (result.status === 'header') return draftOf(result.header)
  const fields = entries.filter(({ depth }) => depth === 0).map(({ field }) => field)
  const isWhole = result.status === 'invalid' && result.code === 'checksum_mismatch'
  return draftBefore(bytes, fields, isWhole ? { ...form.draft, tlvs: [] } : form.draft)
}

function writeLink(): void {
  history.replaceState(null, '', `#${plainHex(inspection.bytes)}`)
}

function rowBytes(): number {
  return narrow.matches ? 8 : 16
}

function point(index: number | undefined): void {
  showEntry(index ?? chosen)
}

function choose(index: number | undefined): void {
  chosen = index
  showEntry(index)
}

function showEntry(index: number | undefined): void {
  const entry = index === undefined ? undefined : inspection.entries[index]
  fieldsView.mark(entry?.row)
  bytesView.mark(entry?.field.offset ?? 0, entry?.field.byteLength ?? 0)
  const hint = element('p', { class: 'help' }, 'Point at a byte or a field to see what it is for.')
  detail.replaceChildren(...(entry ? detailOf(entry, inspection.bytes) : [hint]))
}

function verdictOf({ bytes, result, spp, byteLength, fault }: Inspection): readonly Node[] {
  if (!fault) {
    const left = bytes.length - byteLength
    const payload = left > 0 ? `, and ${left} of payload` : ''
    return [
      ...(spp ? summary('Simple Proxy Protocol', `${endsOf(spp)}, datagrams`) : headerSummary(result)),
      element('span', { class: 'note' }, `${byteLength} bytes of header${payload}`),
    ]
  }
  const { title, wanted, got, checksum, offset } = fault
  if (bytes.length === 0) return [element('p', { class: 'help' }, 'Paste a header, or take an example.')]
  const start = result.status === 'absent' ? headerWithin(bytes) : undefined
  return [
    element('strong', {}, title.charAt(0).toUpperCase() + title.slice(1)),
    element('p', {}, element('b', {}, 'Wanted'), wanted),
    ...(got === undefined ? [] : [element('p', {}, element('b', {}, 'Got'), got)]),
    ...(start === undefined
      ? []
      : [changeButton(`Leave out the ${start} bytes before the header`, bytes.slice(start))]),
    ...(checksum === undefined
      ? []
      : [changeButton(`Write ${checksum}`, withChecksum(bytes, checksum, offset))]),
  ]
}

function headerSummary(result: Inspection['result']): readonly Node[] {
  if (result.status !== 'header') return []
  const { header } = result
  const transport = header.transport === 'DGRAM' ? ', datagrams' : ''
  return summary(`Version ${header.version}, ${header.command}`, textOf(header) + transport)
}

function summary(title: string, ends: string): readonly Node[] {
  return [element('strong', {}, title), element('span', { class: 'ends' }, ends)]
}

function changeButton(label: string, changed: Uint8Array): HTMLButtonElement {
  const button = element('button', { type: 'button' }, label)
  button.addEventListener('click', () => show(changed, 'bytes'))
  return button
}

function withChecksum(bytes: Uint8Array, checksum: string, tlvAt: number): Uint8Array {
  const mended = bytes.slice()
  const digits = checksum.slice(2).match(/../g) ?? []
  mended.set(
    digits.map(pair => Number.parseInt(pair, 16)),
    tlvAt + CHECKSUM_VALUE_AT,
  )
  return mended
}

function textOf(header: ProxyHeader): string {
  if (header.command === 'LOCAL') return 'the sender speaks for itself'
  if (header.family === 'UNSPEC') return 'from where is not said'
  return endsOf(header)
}

function endsOf({ source, destination }: SppHeader | { source: Endpoint; destination: Endpoint }): string {
  return `${endText(source)} → ${endText(destination)}`
}

function endText(end: Endpoint): string {
  if ('path' in end) return shown(typeof end.path === 'string' ? end.path : `0x${plainHex(end.path)}`)
  return `${end.address.includes(':') ? `[${end.address}]` : end.address}:${end.port}`
}

function count({ length }: Uint8Array): string {
  return `${length} ${length === 1 ? 'byte' : 'bytes'}`
}
