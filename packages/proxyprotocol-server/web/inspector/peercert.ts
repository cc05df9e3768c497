// Inflates the certificate in the Python library's extension, in the browser.

/** A certificate takes 1 to 4 KiB; more is an attack. */
const MAX_BYTES = 65_536

export async function inflatedText(deflated: Uint8Array): Promise<string | undefined> {
  const own = Uint8Array.from(deflated) // a Blob takes no view of shared memory
  const reader = new Blob([own]).stream().pipeThrough(new DecompressionStream('deflate')).getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let length = 0
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      length += value?.length ?? 0
      if (length > MAX_BYTES) return undefined
      text += decoder.decode(value, { stream: true })
    }
    return text + decoder.decode()
  } catch {
    return undefined
  } finally {
    void reader.cancel().catch(() => undefined)
  }
}
