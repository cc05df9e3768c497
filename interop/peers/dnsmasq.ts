// dnsmasq: the name server of the relay, whose answers change while clients connect.

import type { Peer } from '../peer.ts'
import { provide, type Debian } from '../debian.ts'
import { followsNames } from './dnsmasq/names.ts'
import { survivesFaults } from './dnsmasq/faults.ts'
import { Zone } from './dnsmasq/zone.ts'

const program: Debian = { program: 'dnsmasq', packages: ['dnsmasq-base'], version: ['--version'] }

export const dnsmasq: Peer = {
  name: 'dnsmasq',
  always: true,
  programs: [program],
  async cases(harness) {
    const zone = new Zone(harness, provide(program), await harness.port())
    return [...followsNames(zone), ...survivesFaults(zone)]
  },
}
