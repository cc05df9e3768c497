// One run of proxyprotocol-inspect in this process.

import { runInspect, type InspectIo } from '../../src/cli/inspect/inspect.ts'
import { fakeIo } from './program.ts'

interface Run {
  readonly code: number
  readonly out: string
  readonly errors: string
  readonly bytes: Buffer
}

export async function run(args: readonly string[], io: Partial<InspectIo> = {}): Promise<Run> {
  const fake = fakeIo()
  const written: Uint8Array[] = []
  const code = await runInspect(args, {
    ...fake,
    outBytes: bytes => written.push(bytes),
    stdin: () => Promise.resolve(new Uint8Array()),
    isTerminal: false,
    colours: false,
    ...io,
  })
  return { code, out: fake.written.join(''), errors: fake.errors.join(''), bytes: Buffer.concat(written) }
}
