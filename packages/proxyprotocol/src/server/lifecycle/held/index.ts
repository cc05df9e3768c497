// What a server has of its connections, with a socket or without.

export { type IntakeServer, type Rejectable, takerFor } from './handle-intake.ts'
export { type HeldConnection, Roster } from './roster.ts'
