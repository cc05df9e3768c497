// A promise that the test settles: what a handler waits for, and when it is let go.

export interface Gate<T = void> {
  readonly promise: Promise<T>
  open(value: T): void
  fail(error: unknown): void
}

export function gate<T = void>(): Gate<T> {
  let open: Gate<T>['open'] = () => {}
  let fail: Gate<T>['fail'] = () => {}
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}
