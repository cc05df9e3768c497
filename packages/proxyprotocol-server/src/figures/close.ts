import type { CloseResult } from 'proxyprotocol/server'

export function sumOfCloses(results: readonly CloseResult[]): CloseResult {
  return {
    drained: results.reduce((sum, { drained }) => sum + drained, 0),
    forced: results.reduce((sum, { forced }) => sum + forced, 0),
    stuck: results.flatMap(({ stuck }) => stuck),
  }
}
