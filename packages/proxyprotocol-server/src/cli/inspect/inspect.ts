// proxyprotocol-inspect: explains and makes header bytes.

import { readFile } from 'node:fs/promises'
import { isatty } from 'node:tty'
import { ConfigError } from '../../config/index.ts'
import { refuseExcess } from '../argument-hints.ts'
import { inspectorPage } from '../inspector-page.ts'
import { createCommand, processIo, runProgram } from '../program.ts'
import { buildCommand, type BuildIo } from './build.ts'
import { doctorCommand, type DoctorIo } from './doctor.ts'
import { bytesOfFile, bytesOfText, inputFormats } from './input.ts'
import { reportJson } from './json.ts'
import { firstBytes } from './listen.ts'
import { inspect, reportText } from './report.ts'

/** Scripts can tell this from wrong arguments. */
const EXIT_NO_HEADER = 3
const EXIT_NOT_ACCEPTED = 3

export interface InspectIo extends BuildIo, DoctorIo {
  stdin(): Promise<Uint8Array>
  readonly isTerminal: boolean
}

export const inspectIo: InspectIo = {
  ...processIo,
  outBytes: bytes => void process.stdout.write(bytes),
  stdin: async () => Buffer.concat(await process.stdin.toArray()),
  isTerminal: isatty(0),
  colours: wantsColours(process.stdout, process.env),
}

/** NO_COLOR, files and pipes get no colours. */
export function wantsColours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env['NO_COLOR']
}

interface Flags {
  readonly file?: string
  readonly listen?: string
  readonly as: string
  readonly json?: true
  readonly page?: true
}

export async function runInspect(args: readonly string[], io: InspectIo = inspectIo): Promise<number> {
  let code = 0
  const command = createCommand('proxyprotocol-inspect', io)
    .enablePositionalOptions() // doctor has a --json of its own
    .allowExcessArguments() // refused below, with a hint
    .description('Explains the bytes of a PROXY protocol header, one field at a time.')
    .argument('[INPUT]', 'hexadecimal, a dump, base64 or text; - or nothing for standard input')
    .option('--file <PATH>', 'read the bytes from a file')
    .option('--listen <HOST:PORT>', 'wait for one connection, or udp:// datagram, and explain it')
    .option('--as <FORMAT>', `what the input is: ${inputFormats.join(', ')}`, 'auto')
    .option('--json', 'one line of JSON')
    .option(
      '--page',
      'the address of a page for a browser that shows it, with what is given or to paste into',
    )
    .action(async (input: string | undefined, flags: Flags) => {
      refuseExcess(command, 'one INPUT, in quotes if it has blanks')
      if (flags.page && flags.json) throw new ConfigError('--page and --json exclude each other')
      if (flags.page && (input ?? flags.file ?? flags.listen) === undefined) {
        io.out(`${inspectorPage()}\n`)
        return
      }
      const inspection = inspect(await bytesFor(input, flags, io))
      if (flags.page) io.out(`${inspectorPage(inspection.bytes)}\n`)
      else io.out(flags.json ? reportJson(inspection) : reportText(inspection, io.colours))
      if (inspection.result.status !== 'header' && !inspection.spp) code = EXIT_NO_HEADER
    })
    .addCommand(buildCommand(io))
    .addCommand(
      doctorCommand(io, works => {
        if (!works) code = EXIT_NOT_ACCEPTED
      }),
    )
  const ended = await runProgram(io, async () => {
    await command.parseAsync(args, { from: 'user' })
  })
  return ended === 0 ? code : ended
}

async function bytesFor(input: string | undefined, flags: Flags, io: InspectIo): Promise<Uint8Array> {
  const { file, listen } = flags
  const format = inputFormats.find(known => known === flags.as)
  if (format === undefined) {
    throw new ConfigError(`--as must be one of ${inputFormats.join(', ')}, got ${JSON.stringify(flags.as)}`)
  }
  if ([input, file, listen].filter(source => source !== undefined).length > 1) {
    throw new ConfigError('INPUT, --file and --listen exclude each other: there is one header to explain')
  }
  if (listen !== undefined) return firstBytes(listen, io)
  const tell = (note: string): void => {
    io.error(`${note}\n`)
  }
  if (file !== undefined) return bytesOfFile(await readFile(file), format, tell)
  if (input !== undefined && input !== '-') return bytesOfText(input, format, tell)
  if (io.isTerminal) tell('Paste the bytes, then press Ctrl-D.')
  return bytesOfFile(await io.stdin(), format, tell)
}
