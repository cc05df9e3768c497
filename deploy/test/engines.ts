// Runs programs of the image under podman and under runc alone, always hardened: without privileges, with a root that is read-only.

import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { run } from '../../scripts/image/command.js'
import { podman, podmanEnvironment as env, podmanWords } from '../../scripts/image/store.js'

/** A program of the image that runs. */
export interface Container {
  /** Where its first service listens. */
  readonly port: number
  /** Its exit code. */
  readonly ended: Promise<number | null>
  /** What /proc/PID/status says about its first process. */
  status(): string
  /** Runs the image's health check, and gives its exit code. */
  health(): number | null
  stop(): void
}

export interface Engine {
  start(program: string, ...args: readonly string[]): Promise<Container>
}

/** How many containers have been named. */
let started = 0

export function underPodman(image: string, admin: string): Engine {
  return {
    async start(program, ...args) {
      const name = `pp-${process.pid}-${++started}`
      const hardened = [
        '--read-only',
        '--read-only-tmpfs=false',
        '--cap-drop=all',
        '--security-opt=no-new-privileges',
      ]
      const words = [
        'run',
        '--rm',
        '--pull=never',
        '--network=host',
        '--name',
        name,
        `--env=PROXYPROTOCOL_ADMIN=${admin}`,
      ]
      const command = [...podmanWords, ...words, ...hardened, `--entrypoint=${program}`, image, ...args]
      const { port, ended } = await listening('podman', command)
      return {
        port,
        ended,
        status: () => processStatus(podman('inspect', '--format={{.State.Pid}}', name)),
        health: () => spawnSync('podman', [...podmanWords, 'healthcheck', 'run', name], { env }).status,
        stop: () => podman('kill', '--signal=TERM', name),
      }
    },
  }
}

/** The image's files are unpacked once, into a folder that `close` removes. */
export function underRunc(image: string, admin: string): Engine & { close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'pp-runc-'))
  const rootfs = join(folder, 'rootfs')
  mkdirSync(rootfs)
  const container = podman('create', '--pull=never', image)
  run('sh', ['-c', 'podman "$@" | tar -xf - -C "$ROOTFS"', 'sh', ...podmanWords, 'export', container], {
    env: { ...env, ROOTFS: rootfs },
  })
  podman('rm', container)
  const runc = ['--root', join(folder, 'state')]
  return {
    async start(program, ...args) {
      const name = `pp-${process.pid}-${++started}`
      const bundle = join(folder, name)
      mkdirSync(bundle)
      run('runc', ['spec', '--bundle', bundle])
      harden(join(bundle, 'config.json'), { rootfs, admin, args: [program, ...args] })
      const { port, ended } = await listening('runc', [...runc, 'run', '--bundle', bundle, name])
      const state = (): { pid: number } =>
        JSON.parse(run('runc', [...runc, 'state', name])) as { pid: number } // runc's own format
      return {
        port,
        ended,
        status: () => processStatus(String(state().pid)),
        health: () => spawnSync('runc', [...runc, 'exec', name, 'proxyprotocol-server', 'health']).status,
        stop: () => run('runc', [...runc, 'kill', name, 'TERM']),
      }
    },
    close: () => rmSync(folder, { recursive: true }),
  }
}

interface Bundle {
  readonly rootfs: string
  readonly admin: string
  readonly args: readonly string[]
}

function harden(file: string, { rootfs, admin, args }: Bundle): void {
  const spec = JSON.parse(readFileSync(file, 'utf8')) as {
    process: object
    linux: { namespaces: { type: string }[] }
  } // runc wrote it
  const env = ['PATH=/app/node_modules/.bin:/nodejs/bin', `PROXYPROTOCOL_ADMIN=${admin}`]
  const user = { uid: 65532, gid: 65532 }
  const rlimits = [{ type: 'RLIMIT_NOFILE', hard: 4096, soft: 4096 }]
  const changed = {
    ...spec,
    root: { path: rootfs, readonly: true },
    process: {
      ...spec.process,
      terminal: false,
      noNewPrivileges: true,
      capabilities: {},
      rlimits,
      user,
      env,
      args,
    },
    linux: { ...spec.linux, namespaces: spec.linux.namespaces.filter(({ type }) => type !== 'network') },
  }
  writeFileSync(file, JSON.stringify(changed))
}

async function listening(
  command: string,
  words: readonly string[],
): Promise<Pick<Container, 'port' | 'ended'>> {
  const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit').then(([code]) => code as number | null) // of the event's two values the first
  const output = collect(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /listening .*?address=\S*:(\d+)/.exec(line)?.[1]
    if (port !== undefined) {
      child.stdout.resume()
      return { port: Number(port), ended }
    }
  }
  throw new Error(`"${[command, ...words].join(' ')}" did not listen:\n${output()}`)
}

function collect(child: ChildProcessByStdio<null, Readable, Readable>): () => string {
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

function processStatus(pid: string): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8')
}
