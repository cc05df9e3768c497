// Headers in front of a server that exists already.

export { admit, type AdmittedInfo } from './admit.ts'
export { attach, type AttachOptions } from './attach.ts'
export { front, type FrontServer } from './front.ts'
export { startTls } from './start-tls.ts'
