// Every subpath that CommonJS has, with a type and a value of each.

import { encodeHeader, type HeaderInit } from 'proxyprotocol'
import { connect, type ConnectOptions } from 'proxyprotocol/client'
import { createListingCache, type LookupOptions } from 'proxyprotocol/dnsbl'
import { attach, type AttachOptions } from 'proxyprotocol/server'
import { attachDatagrams, type DatagramOptions } from 'proxyprotocol/udp'

export const types: readonly [
  HeaderInit?,
  ConnectOptions?,
  LookupOptions?,
  AttachOptions?,
  DatagramOptions?,
] = []
export const values = [encodeHeader, connect, createListingCache, attach, attachDatagrams]
