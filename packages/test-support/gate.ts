// A promise that the test settles: what a handler waits for until it is let go.

export interface Gate {
  readonly promise: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open = (): void => {}
  const promise = new Promise<void>(resolve => {
    open = resolve
  })
  return { promise, open }
}
