// What is told of upstreams as it happens.

import type { Failure } from './judge.ts'

/** What has become of an upstream, or of one of its members. */
export type UpstreamEvent =
  /** It gets no connections any more, unless all others are down as well. */
  | {
      readonly kind: 'down'
      readonly upstream: string
      readonly address: string | undefined
      readonly failure: Failure
    }
  /** It gets connections again, after so many milliseconds. */
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
