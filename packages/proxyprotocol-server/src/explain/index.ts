// What the inspector says, wherever it says it, and what it reads: pure, for a terminal and a browser alike.

export { receivers, senders, sentBy, type ConfigurationLine, type Sent } from './configuration.ts'
export { explainFault, type Fault, type NotDecoded } from './fault.ts'
export { asciiOf, hexOf, hexOffset, plainHex } from './hex.ts'
export { deflatedPeercert, withPeercert } from './peercert.ts'
export { base64Bytes, bytesFromText, dumpBytes, hexBytes, type TextBytes } from './text-bytes.ts'
