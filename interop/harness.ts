// Where one peer plays: a folder, ports and processes of its own, all gone at its end.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Program } from './debian.ts'

/** Milliseconds for a program to listen, for what is awaited of it, and between two looks. */
const PATIENCE = 15_000
const INTERVAL = 15
/** Milliseconds for a program to end by itself. */
const FAREWELL = 2000
/** Below what systems give out for port 0, so that no connection takes a port between the look and the peer's own listening. */
const [FIRST_PORT, LAST_PORT] = [12_000, 32_000]
/** What is shown of a program's output where it fails. */
const TAIL = 2000

/** A process that runs. */
export interface Running {
  /** Resolves with the first match in what it says on both outputs, or has said. */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>
  /** What it has said on both outputs. */
  readonly output: () => string
  /** Ends it now, and not only with the harness. */
  readonly end: () => Promise<void>
}

export class Harness {
  /** Everyone may look into it: some peers give up their rights. */
  readonly folder: string
  readonly #endings: (() => unknown)[] = []
  readonly #ports = new Set<number>()

  constructor() {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'interop-')))
    chmodSync(this.folder, 0o755)
    this.atEnd(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  /** Has something done at the end; what was asked for last comes first. */
  atEnd(ending: () => unknown): void {
    this.#endings.push(ending)
  }

  async close(): Promise<void> {
    for (let ending = this.#endings.pop(); ending; ending = this.#endings.pop()) await ending()
  }

  /** Writes a file of the peer, and gives its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name)
    writeFileSync(path, content)
    return path
  }

  /** A folder that everyone may write to. */
  open(name: string): string {
    const path = join(this.folder, name)
    mkdirSync(path)
    chmodSync(path, 0o777)
    return path
  }

  /** A port without a listener, on IPv4 and IPv6. */
  async port(): Promise<number> {
    for (;;) {
      const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
      if (this.#ports.has(port) || !(await isFree(port, '127.0.0.1')) || !(await isFree(port, '::1')))
        continue
      this.#ports.add(port)
      return port
    }
  }

  /** Starts a program, and resolves when it listens at all of these ports or paths. */
  async start(
    { path, environment }: Pick<Program, 'path' | 'environment'>,
    args: readonly string[],
    listening: readonly (number | string)[] = [],
  ): Promise<Running> {
    const child = spawn(path, args, {
      cwd: this.folder,
      detached: true, // a group of its own, which is ended as a whole
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => void (said += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()))
    this.atEnd(() => end(child))
    const alive = <T>(look: () => T | undefined, what: string): Promise<T> =>
      until(() => {
        const found = look()
        if (found === undefined && child.exitCode !== null) {
          throw new Error(`${path} has ended with ${String(child.exitCode)}: ${said.slice(-TAIL)}`)
        }
        return found
      }, `${path}: ${what}`).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${said.slice(-TAIL)}`)
      })
    await alive(() => listening.every(isListening) || undefined, `listen at ${listening.join(', ')}`)
    return {
      output: () => said,
      said: pattern => alive(() => pattern.exec(said) ?? undefined, `say ${String(pattern)}`),
      end: () => end(child),
    }
  }
}

/** Looks until there is something; for changes without an event. */
export async function until<T>(look: () => T | undefined, what: string): Promise<T> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE} ms`)
    await pause(INTERVAL)
  }
}

/** Ends a program with all that it has started: some do not see to that themselves. */
async function end(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const exit = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  signal(-pid, 'SIGTERM')
  const impatient = setTimeout(() => signal(-pid, 'SIGKILL'), FAREWELL)
  await exit
  clearTimeout(impatient)
  signal(-pid, 'SIGKILL') // who has outlived it
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // its reader is gone
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** Asked of the system, not by connecting: that would be a client more. */
function isListening(place: number | string): boolean {
  if (typeof place === 'string') return existsSync(place)
  const local = `:${place.toString(16).toUpperCase().padStart(4, '0')} `
  return ['/proc/net/tcp', '/proc/net/tcp6'].some(file =>
    readFileSync(file, 'utf8')
      .split('\n')
      .some(line => line.includes(`${local}0000`) && line.includes(' 0A ')),
  )
}
