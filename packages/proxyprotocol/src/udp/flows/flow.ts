// One client at one peer. The table owns its fields; users extend the class with what they keep for a client.

export class Flow {
  readonly key: string
  /** The client's address, for limits of each source. */
  readonly source: string
  state: 'new' | 'confirmed' | 'ended' = 'new'
  isAnswered = false
  lastTick = 0
  /** Set while a limit counts this flow. */
  countedAs: string | undefined
  previous: Flow | undefined
  next: Flow | undefined

  constructor(key: string, source: string) {
    this.key = key
    this.source = source
  }
}
