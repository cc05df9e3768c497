// The first bytes of real TLS clients, and hellos made by hand where no client says such a thing.

import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { connect, type ConnectionOptions } from 'node:tls'

/** What a TLS client of Node's sends first. */
export async function clientHello(options: ConnectionOptions = {}): Promise<Buffer> {
  const wire = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      wire.emit('sent', chunk)
      done()
    },
  })
  const sent = once(wire, 'sent') as Promise<[Buffer]>
  const client = connect({ socket: wire, ...options })
  client.on('error', () => {})
  const [bytes] = await sent
  client.destroy()
  return bytes
}

/** The same message in records of so many bytes each. */
export function inRecords(hello: Uint8Array, bytes: number): Buffer {
  const message = hello.subarray(5)
  const parts: Buffer[] = []
  for (let at = 0; at < message.length; at += bytes) parts.push(record(message.subarray(at, at + bytes)))
  return Buffer.concat(parts)
}

export function record(fragment: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(22, 3, 1, fragment.length >> 8, fragment.length & 0xff), fragment])
}

/** A hello of one record with these extensions, or without the block of extensions. */
export function helloWith(
  extensions: readonly (readonly [type: number, data: Uint8Array])[] | undefined,
): Buffer {
  const block = (extensions ?? []).map(([type, data]) =>
    Buffer.concat([Uint8Array.of(type >> 8, type & 0xff), vector(2, data)]),
  )
  const body = Buffer.concat([
    Uint8Array.of(3, 3),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, Uint8Array.of(0x13, 1)),
    vector(1, Uint8Array.of(0)),
    ...(extensions ? [vector(2, Buffer.concat(block))] : []),
  ])
  return record(Buffer.concat([Uint8Array.of(1), vector(3, body)]))
}

/** Bytes behind their length. */
export function vector(lengthBytes: number, bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(bytes.length, 0, lengthBytes)
  return Buffer.concat([length, bytes])
}
