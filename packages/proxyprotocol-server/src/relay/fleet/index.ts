// All relays of a program, and how they change.

export { Fleet, type FleetChange, type FleetOptions, type FleetState } from './fleet.ts'
