// All peers, in the order in which they play.

import type { Peer } from '../peer.ts'
import { apache } from './apache.ts'
import { chains } from './chains.ts'
import { curl } from './curl.ts'
import { dnsdist } from './dnsdist.ts'
import { dnsmasq } from './dnsmasq.ts'
import { dovecot } from './dovecot.ts'
import { exim } from './exim.ts'
import { haproxy } from './haproxy.ts'
import { hitch } from './hitch.ts'
import { kdig } from './kdig.ts'
import { knotResolver } from './knot-resolver.ts'
import { mariadb } from './mariadb.ts'
import { nginx } from './nginx.ts'
import { npm } from './npm.ts'
import { openssl } from './openssl.ts'
import { pdnsRecursor } from './pdns-recursor.ts'
import { postgresql } from './postgresql.ts'
import { prometheus } from './prometheus.ts'
import { redis } from './redis.ts'
import { stunnel } from './stunnel.ts'
import { swaks } from './swaks.ts'
import { openssh } from './tls/openssh.ts'
import { tshark } from './tshark.ts'
import { unbound } from './unbound.ts'
import { varnish } from './varnish.ts'

export const peers: readonly Peer[] = [
  haproxy,
  nginx,
  curl,
  chains,
  openssl,
  prometheus,
  npm,
  apache,
  varnish,
  hitch,
  stunnel,
  swaks,
  tshark,
  exim,
  dovecot,
  mariadb,
  postgresql,
  redis,
  unbound,
  dnsmasq,
  dnsdist,
  kdig,
  pdnsRecursor,
  knotResolver,
  openssh,
]
