// One client at one peer; users extend the class.

export class Flow {
  readonly key: string
  /** For limits of each source. */
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
