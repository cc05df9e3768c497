// A test of Jest on CommonJS, as a user writes it: the server reads the header, and a reset is the client's fault.

const { once } = require('node:events')
const http = require('node:http')
const { text } = require('node:stream/consumers')
const { connect, HeaderAgent, withHeader } = require('proxyprotocol/client')
const { attach, connectionInfo, createServer } = require('proxyprotocol/server')

const source = { address: '192.0.2.1', port: 56324 }
const header = { source, destination: { address: '198.51.100.7', port: 443 } }
const trust = ['127.0.0.1']

test('attach() shows the client', async () => {
  const server = http.createServer((request, response) =>
    response.end(JSON.stringify(connectionInfo(request).source)),
  )
  await once(attach(server, { trust }).listen(0, '127.0.0.1'), 'listening')
  const agent = new HeaderAgent()
  const [response] = await withHeader(header, () =>
    once(http.get({ agent, port: server.address().port, host: '127.0.0.1' }), 'response'),
  )
  expect(JSON.parse(await text(response))).toEqual(source)
  agent.destroy()
  server.close()
})

test('createServer() tells a reset of the client from a fault of the handler', async () => {
  const onError = jest.fn()
  let opened
  const isOpen = new Promise(resolve => (opened = resolve))
  const server = createServer({ trust, onError }, async ({ socket }) => {
    opened()
    for await (const chunk of socket) socket.write(chunk)
  })
  const { port } = await server.listen(0, '127.0.0.1')
  const client = await connect({ host: '127.0.0.1', port }, header)
  await isOpen
  client.resetAndDestroy()
  await server.close()
  expect(onError).not.toHaveBeenCalled()
  expect(server.stats().closed.client_reset).toBe(1)
})
