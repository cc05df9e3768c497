// What relays plain TCP in tests: `npm test` runs those of the relay once on each plane.

export const testedPlane: 'auto' | 'sockets' =
  process.env['TEST_DATA_PLANE'] === 'sockets' ? 'sockets' : 'auto'
