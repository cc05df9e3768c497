// All peers, in the order in which they play.

import type { Peer } from '../peer.ts'
import { chains } from './chains.ts'
import { curl } from './curl.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'

export const peers: readonly Peer[] = [haproxy, nginx, curl, chains]
