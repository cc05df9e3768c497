// Errors of the kernel, as Node's sockets have them.

import { getSystemErrorName } from 'node:util'

export function systemError(errno: number, syscall: string, where = ''): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(`${syscall} ${code}${where}`), { errno, code, syscall })
}

/** What a write would fail with. */
export function resetBehindEnd(): NodeJS.ErrnoException {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
}
