// A mail server with STARTTLS: the header comes first, in clear, and each session has the client's address.

import { readFileSync } from 'node:fs'
import { attach } from 'proxyprotocol/server'
import { SMTPServer } from 'smtp-server'

const { PORT = '2525', KEY = 'key.pem', CERT = 'cert.pem' } = process.env

const smtp = new SMTPServer({
  key: readFileSync(KEY),
  cert: readFileSync(CERT),
  authOptional: true,
  disableReverseLookup: true,
  onMailFrom({ address }, { remoteAddress, secure }, done) {
    console.log(`mail from ${address} by ${remoteAddress}, ${secure ? 'encrypted' : 'in clear'}`)
    done()
  },
  onData(stream, _session, done) {
    stream.resume().once('end', () => done())
  },
})
smtp.on('error', error => console.error(error.message))

const server = attach(smtp.server, { trust: ['127.0.0.1'] })
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening at', server.address()))
