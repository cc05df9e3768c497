// How long the proofs may take: short in the gate, and as long as SOAK_SECONDS says in `npm run test:soak`.

const { SOAK_SECONDS } = process.env

/** Whether all of it is wanted. */
export const soaking: boolean = SOAK_SECONDS !== undefined

/** Seconds for proofs that only time can give. */
export const soakSeconds: number = Number(SOAK_SECONDS ?? 20)

if (!(Number.isFinite(soakSeconds) && soakSeconds >= 10)) {
  throw new RangeError(`SOAK_SECONDS must be a number of at least 10, got ${String(SOAK_SECONDS)}`)
}
