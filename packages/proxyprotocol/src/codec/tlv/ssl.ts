// The SSL TLV (spec 2.2.6). An SSL TLV inside it stays opaque.

import { byteAt, checkBytes, uint32At, writeUint32 } from '../bytes.ts'
import { asciiBytes, asciiText, textBytes, utf8Text } from '../text.ts'
import { areTlvs, firstValue, nestTlvs, splitTlvs, SSL_FIXED_BYTES, type Tlv, tlvType } from './tlv.ts'

const CLIENT_SSL = 0x01
const CLIENT_CERT_CONN = 0x02
const CLIENT_CERT_SESS = 0x04

/** What an SSL TLV says. Text is undefined if it is missing or malformed. */
export interface SslInfo {
  /** Bits: 1 TLS, 2 certificate on this connection, 4 certificate in this session. */
  readonly client: number
  /** 0 for a verified certificate, but in haproxy also without one. */
  readonly verify: number
  /** A certificate bit implies it, too. */
  readonly encrypted: boolean
  /** A certificate was presented in this session, and verified. */
  readonly clientVerified: boolean
  /** For example `TLSv1.3`. */
  readonly version: string | undefined
  /** Common name of the client's certificate. */
  readonly cn: string | undefined
  /** For example `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string | undefined
  /** Of the proxy's certificate, for example `RSA-SHA256`. */
  readonly sigAlg: string | undefined
  /** Of the proxy's certificate, for example `RSA2048`. */
  readonly keyAlg: string | undefined
  /** Key exchange group, for example `secp256r1`. */
  readonly group: string | undefined
  /** For example `rsa_pss_rsae_sha256`. */
  readonly sigScheme: string | undefined
  /** The client's certificate in DER. */
  readonly clientCert: Uint8Array | undefined
  /** All sub-TLVs, in order. */
  readonly tlvs: readonly Tlv[]
}

/** What `tlv.ssl` takes. */
export interface SslInit {
  /** Required (spec 2.2.6). */
  readonly version: string
  readonly certOnConnection?: boolean | undefined
  readonly certInSession?: boolean | undefined
  /** Default `false`; `true` needs a certificate flag. */
  readonly clientVerified?: boolean | undefined
  readonly cn?: string | undefined
  readonly cipher?: string | undefined
  readonly sigAlg?: string | undefined
  readonly keyAlg?: string | undefined
  readonly group?: string | undefined
  readonly sigScheme?: string | undefined
  readonly clientCert?: Uint8Array | undefined
}

type TextField = 'cipher' | 'sigAlg' | 'keyAlg' | 'group' | 'sigScheme'

export function readSsl(value: Uint8Array): SslInfo | undefined {
  if (value.length < SSL_FIXED_BYTES || !areTlvs(value, SSL_FIXED_BYTES, value.length)) return undefined
  const client = byteAt(value, 0)
  const verify = uint32At(value, 1)
  const tlvs = splitTlvs(value, SSL_FIXED_BYTES, value.length)
  return {
    client,
    verify,
    encrypted: (client & (CLIENT_SSL | CLIENT_CERT_CONN | CLIENT_CERT_SESS)) !== 0,
    clientVerified: (client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS)) !== 0 && verify === 0,
    version: textOf(tlvs, tlvType.sslVersion, asciiText),
    cn: textOf(tlvs, tlvType.sslCn, utf8Text),
    cipher: textOf(tlvs, tlvType.sslCipher, asciiText),
    sigAlg: textOf(tlvs, tlvType.sslSigAlg, asciiText),
    keyAlg: textOf(tlvs, tlvType.sslKeyAlg, asciiText),
    group: textOf(tlvs, tlvType.sslGroup, asciiText),
    sigScheme: textOf(tlvs, tlvType.sslSigScheme, asciiText),
    clientCert: firstValue(tlvs, tlvType.sslClientCert),
    tlvs,
  }
}

export function sslTlv(init: SslInit): Tlv {
  const certBits =
    (init.certOnConnection ? CLIENT_CERT_CONN : 0) | (init.certInSession ? CLIENT_CERT_SESS : 0)
  if (init.clientVerified && certBits === 0) {
    throw new TypeError('clientVerified needs certOnConnection or certInSession: nothing was there to verify')
  }
  const start = new Uint8Array(SSL_FIXED_BYTES)
  start[0] = CLIENT_SSL | certBits
  writeUint32(start, 1, init.clientVerified ? 0 : 1)
  const tlvs: Tlv[] = [{ type: tlvType.sslVersion, value: asciiBytes(init.version, 'version') }]
  const addText = (type: number, name: TextField): void => {
    const text = init[name]
    if (text !== undefined) tlvs.push({ type, value: asciiBytes(text, name) })
  }
  if (init.cn !== undefined) tlvs.push({ type: tlvType.sslCn, value: textBytes(init.cn, 'cn') })
  addText(tlvType.sslCipher, 'cipher')
  addText(tlvType.sslSigAlg, 'sigAlg')
  addText(tlvType.sslKeyAlg, 'keyAlg')
  addText(tlvType.sslGroup, 'group')
  addText(tlvType.sslSigScheme, 'sigScheme')
  if (init.clientCert !== undefined) checkBytes(init.clientCert, 'clientCert')
  if (init.clientCert !== undefined) tlvs.push({ type: tlvType.sslClientCert, value: init.clientCert })
  return { type: tlvType.ssl, value: nestTlvs(start, tlvs) }
}

function textOf(tlvs: readonly Tlv[], type: number, decode: typeof utf8Text): string | undefined {
  const value = firstValue(tlvs, type)
  return value === undefined ? undefined : decode(value)
}
