import type { AdmissionLimits, AdmissionOptions, AdmissionTimeouts } from '../admission/index.ts'

/** Options of `attach`. */
export interface AttachOptions extends AdmissionOptions {
  readonly timeouts?: AdmissionTimeouts | undefined
  /** Connections above one of these are closed. */
  readonly limits?: AdmissionLimits | undefined
  /**
   * Reads the header as the first plaintext of TLS (node:tls and node:https only). Every peer gets a handshake before
   * `trust` decides. Default false.
   */
  readonly headerInsideTls?: boolean | undefined
}
