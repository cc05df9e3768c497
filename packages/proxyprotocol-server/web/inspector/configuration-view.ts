// The configuration lines that fit the header, each with a copy button.

import type { ProxyHeader } from 'proxyprotocol'
import { receivers, senders, sentBy, type ConfigurationLine } from '../../src/explain/index.ts'
import { element } from '../element.ts'
import { copyButton } from './copy.ts'

const RECEIVER = '10.0.0.20:8443'

export function configurationFor(header: ProxyHeader | undefined): readonly Node[] {
  if (!header) return [element('p', { class: 'help' }, 'These bytes are not a header.')]
  const source = element(
    'p',
    { class: 'help' },
    `Replace the addresses: 10.0.0.7 sends, ${RECEIVER} receives.`,
  )
  return [
    source,
    ...group('Receive it', receivers(header)),
    ...group('Send it', senders(sentBy(header), RECEIVER)),
  ]
}

function group(title: string, lines: readonly ConfigurationLine[]): readonly Node[] {
  return [element('h3', {}, title), ...lines.map((each, index) => line(each, index === 0))]
}

function line({ program, text, note }: ConfigurationLine, open: boolean): HTMLElement {
  const head = element('summary', {}, program, element('span', { class: 'note' }, note ?? ''))
  if (text === '')
    return element('p', { class: 'cannot' }, `${program} `, element('span', { class: 'note' }, note ?? ''))
  return element(
    'details',
    { open },
    head,
    element(
      'div',
      { class: 'snippet' },
      element('pre', {}, text),
      copyButton('Copy', () => text),
    ),
  )
}
