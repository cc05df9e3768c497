// Addresses as text and as bytes.

export {
  ADDRESS_BYTES,
  endOfGroup,
  faultAt,
  faultIndex,
  formatAddress,
  mapV4,
  NEEDS_MORE,
  scanV4,
  scanV6,
  V4_AT,
} from './address.ts'
export { formatUnmapped, unmapAddress } from './mapped.ts'
export { parseAddress, writeAddress } from './parse.ts'
export { formatV4, formatV6, writeV4, writeV6 } from './text.ts'
export { readUnixPath, UNIX_PATH_BYTES, unixPathBytes } from './unix-path.ts'
