// Pure, for a terminal and a browser.

export { receivers, senders, sentBy, type ConfigurationLine, type Sent } from './configuration.ts'
export { explainFault, type Fault, type NotDecoded } from './fault.ts'
export { asciiOf, hexOf, hexOffset, plainHex } from './hex.ts'
export { deflatedPeercert, withPeercert } from './peercert.ts'
export { base64Bytes, bytesFromText, dumpBytes, hexBytes, type TextBytes } from './text-bytes.ts'
