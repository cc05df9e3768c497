import type { Failure } from './health/index.ts'

/** A change of an upstream or one of its members. */
export type UpstreamEvent =
  /** It gets no more connections, unless all others are down as well. */
  | {
      readonly kind: 'down'
      readonly upstream: string
      readonly address: string | undefined
      readonly failure: Failure
    }
  /** It gets connections again, after this many milliseconds. */
  | {
      readonly kind: 'up'
      readonly upstream: string
      readonly address: string | undefined
      readonly downFor: number
    }
  /** Its name has more addresses than are used. */
  | {
      readonly kind: 'left_out'
      readonly upstream: string
      readonly members: number
      readonly leftOut: number
    }
