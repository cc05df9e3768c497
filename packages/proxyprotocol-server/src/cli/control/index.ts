// The control socket: the program's side, and the command `ctl`.

export { type ControlServer, startControl } from './control-server.ts'
export { ctl } from './ctl.ts'
export { type Reading, type Reread, Running } from './running.ts'
