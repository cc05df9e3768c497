// Preloaded: makes this process one of a line of Node that accept.ts does not know, whose sockets Node makes itself.

const { versions } = process
Object.defineProperty(process, 'versions', { value: { ...versions, node: '99.0.0' } })
