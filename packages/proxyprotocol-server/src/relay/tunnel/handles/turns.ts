// libuv reads up to 32 times from one handle in a turn, and the others would wait for megabytes.

interface Reader {
  resume(): void
}

const yielded: Reader[] = []

/** Reads on in a later turn. */
export function takeTurns(reader: Reader): false {
  if (yielded.push(reader) === 1) setImmediate(readOn)
  return false
}

function readOn(): void {
  yielded.shift()?.resume()
  if (yielded.length > 0) setImmediate(readOn)
}
