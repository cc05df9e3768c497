// The options of attach().

import type { AdmissionLimits, AdmissionOptions, AdmissionTimeouts } from '../admission/index.ts'

/** How a server that is attached to receives headers. */
export interface AttachOptions extends AdmissionOptions {
  readonly timeouts?: AdmissionTimeouts | undefined
  /** Connections over one of these are closed. */
  readonly limits?: AdmissionLimits | undefined
  /**
   * Reads the header as the first plaintext of TLS. Only for servers of node:tls and node:https. Every peer gets a handshake
   * before `trust` decides. Default false.
   */
  readonly headerInsideTls?: boolean | undefined
}
