// A silent stream counts as lost, whatever the browser believes. A hidden page closes it, so that other pages can have
// it.

import type { StatsDocument } from '../../dist/figures/index.js'

const PATIENCE = 4_000
const RETRY = 3_000
const HIDDEN = 30_000

export type Connection = 'connecting' | 'live' | 'lost' | 'displaced' | 'paused'

export interface LiveOptions {
  readonly onDocument: (document: StatsDocument) => void
  readonly onChange: (connection: Connection) => void
}

export class Live {
  readonly #options: LiveOptions
  #connection: Connection = 'connecting'
  #source: EventSource | undefined
  #silence: number | undefined
  #retry: number | undefined
  #hidden: number | undefined

  constructor(options: LiveOptions) {
    this.#options = options
    document.addEventListener('visibilitychange', () => this.#onVisibility())
    this.open()
  }

  open(): void {
    this.#stop()
    this.#source = new EventSource('events')
    this.#source.onmessage = ({ data }: MessageEvent<string>) => this.#onMessage(data)
    this.#source.addEventListener('displaced', () => this.#end('displaced'))
    this.#source.onerror = () => this.#onError()
    this.#wait()
  }

  #onMessage(data: string): void {
    this.#wait()
    this.#change('live')
    this.#options.onDocument(JSON.parse(data) as StatsDocument) // it comes from the same program
  }

  #onError(): void {
    this.#change('lost')
    if (this.#source?.readyState !== EventSource.CLOSED) return // it reconnects by itself
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.open(), RETRY)
  }

  #wait(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#onSilence(), PATIENCE)
  }

  #onSilence(): void {
    this.#change('lost')
    this.open()
  }

  #onVisibility(): void {
    clearTimeout(this.#hidden)
    if (document.hidden) this.#hidden = setTimeout(() => this.#end('paused'), HIDDEN)
    else if (this.#connection === 'paused' || this.#connection === 'lost') this.open()
  }

  #end(connection: Connection): void {
    this.#stop()
    this.#change(connection)
  }

  #stop(): void {
    this.#source?.close()
    clearTimeout(this.#silence)
    clearTimeout(this.#retry)
  }

  #change(connection: Connection): void {
    if (connection === this.#connection) return
    this.#connection = connection
    this.#options.onChange(connection)
  }
}
