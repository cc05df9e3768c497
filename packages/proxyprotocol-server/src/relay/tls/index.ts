export { Entrance } from './entrance.ts'
export { RelayTls, serverTls } from './relay-tls.ts'
export { newTicketSecret, processSecret } from './ticket-key.ts'
