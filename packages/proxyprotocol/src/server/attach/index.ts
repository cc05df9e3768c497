// Headers in front of existing servers.

export { admit, type AdmittedInfo } from './admit.ts'
export { attach } from './attach.ts'
export type { AttachOptions } from './attach-options.ts'
export { front, type FrontServer } from './front.ts'
export { startTls } from './start-tls.ts'
