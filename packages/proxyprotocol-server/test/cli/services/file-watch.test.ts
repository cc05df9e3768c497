// Files that change under connections, certificates and lists of networks: on SIGHUP, by an editor, by Kubernetes, and by mistake.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs, { mkdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { certificate, otherCertificate } from 'test-support/certificates'
import { temporaryFolder } from 'test-support/folder'
import { FileWatch } from '../../../src/cli/services/file-watch.ts'
import { runServer } from '../../../src/cli/index.ts'
import { pathEntries } from '../../../src/cli/services/path-entries.ts'
import { createRelay, parseService } from '../../../src/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { fakeIo, start } from '../../support/program.ts'
import { dialSecure, type Secure } from '../../support/secure.ts'
import { chunk, dial, listen, outcome } from '../../support/connections.ts'

async function connected(t: TestContext, port: number): Promise<Secure & { readonly name: unknown }> {
  const ends = dialSecure(t, port, { rejectUnauthorized: false })
  await once(ends.secure, 'secureConnect')
  return { ...ends, name: ends.secure.getPeerCertificate().subject.CN }
}

test('on SIGHUP new connections get the new certificate, open ones go on, and a wrong one changes nothing', async t => {
  const { cert, key, source } = certificateFiles(t)
  const upstream = await listen(t)
  const { io, ports } = await start(t, runServer, ['--service', source, `127.0.0.1:${upstream.port}?pp=noop`])
  const [port = 0] = ports
  const before = await connected(t, port)
  assert.equal(before.name, 'localhost')
  const far = await upstream.accept()

  writeFileSync(cert, otherCertificate.cert)
  io.send('SIGHUP')
  assert.match(
    await io.line(/ not-renewed /),
    /service=\S+ error="listen TLS: .*its key is not that of the certificate/,
  )
  assert.equal((await connected(t, port)).name, 'localhost')

  writeFileSync(key, otherCertificate.key)
  io.send('SIGHUP')
  await io.line(/ renewed /)
  assert.equal((await connected(t, port)).name, 'other')

  before.secure.write('still here')
  assert.equal((await chunk(far)).toString(), 'still here')
})

test('a file that takes the place of another, and a link beside it that is exchanged, are noticed without a signal', async t => {
  const at = temporaryFolder(t)
  const version = (name: string, { cert, key }: { cert: string; key: string }): void => {
    mkdirSync(join(at, name))
    writeFileSync(join(at, name, 'tls.crt'), cert)
    writeFileSync(join(at, name, 'tls.key'), key)
  }
  version('..1', certificate)
  symlinkSync('..1', join(at, '..data'))
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(at, file))
  const source = `ssl://127.0.0.1:0?cert=${join(at, 'tls.crt')}&key=${join(at, 'tls.key')}`
  const { io, ports } = await start(t, runServer, ['--service', source, '127.0.0.1:1'])
  const [port = 0] = ports
  assert.equal((await connected(t, port)).name, 'localhost')

  version('..2', otherCertificate)
  symlinkSync('..2', join(at, '..new'))
  renameSync(join(at, '..new'), join(at, '..data'))
  rmSync(join(at, '..1'), { recursive: true })
  await io.line(/ renewed service=\S+ address=ssl:/)
  assert.equal((await connected(t, port)).name, 'other')

  for (const [file, text] of [
    ['tls.crt', certificate.cert],
    ['tls.key', certificate.key],
  ] as const) {
    writeFileSync(join(at, 'new'), text)
    renameSync(join(at, 'new'), join(at, file))
  }
  await io.line(/ renewed /, 1)
  assert.equal((await connected(t, port)).name, 'localhost')
})

/** A directory whose files lead to those of the one beside it. */
function linked(at: string, beside: string): string {
  mkdirSync(at)
  for (const file of ['cert.pem', 'key.pem']) symlinkSync(join('..', beside, file), join(at, file))
  return at
}

/** A directory with certificate and key. */
function pair(at: string, { cert, key }: { cert: string; key: string }): void {
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, 'cert.pem'), cert)
  writeFileSync(join(at, 'key.pem'), key)
}

function relink(target: string, path: string): void {
  symlinkSync(target, `${path}.new`)
  renameSync(`${path}.new`, path)
}

interface Renewal {
  readonly name: string
  /** Puts the first pair where the service finds it, and says where that is. */
  readonly first: (at: string) => string
  /** Puts the second one in its place. */
  readonly then: (at: string) => void
}

const renewals: readonly Renewal[] = [
  {
    name: 'a link to a directory that comes to lead to another one',
    first: at => {
      pair(join(at, 'releases', '1'), certificate)
      symlinkSync(join(at, 'releases', '1'), join(at, 'current'))
      return join(at, 'current')
    },
    then: at => {
      pair(join(at, 'releases', '2'), otherCertificate)
      relink(join('releases', '2'), join(at, 'current'))
    },
  },
  {
    name: 'a link above that directory that comes to lead elsewhere',
    first: at => {
      pair(join(at, 'v1', 'tls'), certificate)
      symlinkSync('v1', join(at, 'app'))
      symlinkSync(join('..', 'app', 'tls'), join(at, 'v1', 'link'))
      return join(at, 'app', 'link')
    },
    then: at => {
      pair(join(at, 'v2', 'link'), otherCertificate)
      relink('v2', join(at, 'app'))
    },
  },
  {
    name: 'files elsewhere that links lead to, and that are written anew',
    first: at => {
      pair(join(at, 'store'), certificate)
      return linked(join(at, 'live'), 'store')
    },
    then: at => pair(join(at, 'store'), otherCertificate),
  },
  {
    name: "certbot's live directory, whose links come to lead to other files of its archive",
    first: at => {
      pair(join(at, 'archive'), certificate)
      return linked(join(at, 'live'), 'archive')
    },
    then: at => {
      writeFileSync(join(at, 'archive', 'cert2.pem'), otherCertificate.cert)
      writeFileSync(join(at, 'archive', 'key2.pem'), otherCertificate.key)
      for (const file of ['cert', 'key'])
        relink(join('..', 'archive', `${file}2.pem`), join(at, 'live', `${file}.pem`))
    },
  },
  {
    name: 'a directory that is moved away, and comes again',
    first: at => {
      pair(join(at, 'tls'), certificate)
      return join(at, 'tls')
    },
    then: at => {
      pair(join(at, 'tls.new'), otherCertificate)
      renameSync(join(at, 'tls'), join(at, 'tls.old'))
      renameSync(join(at, 'tls.new'), join(at, 'tls'))
    },
  },
]

for (const { name, first, then } of renewals) {
  test(`${name}: noticed without a signal, and once more when it goes back`, async t => {
    const at = temporaryFolder(t)
    const place = first(at)
    const source = `ssl://127.0.0.1:0?cert=${join(place, 'cert.pem')}&key=${join(place, 'key.pem')}`
    const { io, ports } = await start(t, runServer, ['--service', source, '127.0.0.1:1'])
    const [port = 0] = ports
    assert.equal((await connected(t, port)).name, 'localhost')
    then(at)
    await io.line(/ renewed /)
    assert.equal((await connected(t, port)).name, 'other')
    // What is watched now is what the paths lead to now.
    const real = realpathSync(join(place, 'cert.pem'))
    writeFileSync(realpathSync(join(place, 'key.pem')), certificate.key)
    writeFileSync(real, certificate.cert)
    await io.line(/ renewed /, 1)
    assert.equal((await connected(t, port)).name, 'localhost')
  })
}

test('what a link in a directory of authorities leads to is watched as well, and its other files', async t => {
  const at = temporaryFolder(t)
  pair(join(at, 'own'), certificate)
  for (const folder of ['store', 'capath']) mkdirSync(join(at, folder))
  writeFileSync(join(at, 'store', 'ca.pem'), certificate.cert)
  symlinkSync(join('..', 'store', 'ca.pem'), join(at, 'capath', '01234567.0'))
  const own = `cert=${join(at, 'own', 'cert.pem')}&key=${join(at, 'own', 'key.pem')}`
  const source = `ssl://127.0.0.1:0?${own}&verify=CERT_OPTIONAL&capath=${join(at, 'capath')}`
  const { io } = await start(t, runServer, ['--service', source, '127.0.0.1:1'])
  writeFileSync(join(at, 'store', 'ca.pem'), otherCertificate.cert)
  await io.line(/ renewed /)
  writeFileSync(join(at, 'capath', '01234567.1'), certificate.cert)
  await io.line(/ renewed /, 1)
})

test('pathEntries() gives each link on the way, then the file; it ends at what is not there, and in a circle', t => {
  const at = temporaryFolder(t)
  mkdirSync(join(at, 'a'))
  writeFileSync(join(at, 'a', 'file'), '')
  symlinkSync(join(at, 'a'), join(at, 'b'))
  symlinkSync(join('b', 'file'), join(at, 'c'))
  symlinkSync('circle', join(at, 'circle'))
  const names = (path: string): readonly string[] =>
    pathEntries(join(at, path)).map(({ directory: in_, name }) => join(in_, name).slice(at.length))
  assert.deepEqual(names('a/file'), ['/a/file'])
  assert.deepEqual(names('c'), ['/c', '/b', '/a/file'])
  assert.deepEqual(names('b/gone/file'), ['/b', '/a/gone'])
  assert.ok(names('circle').length > 40)
})

test('a directory that cannot be watched is said, and keeps nothing from running', async t => {
  const { source, directory: at } = certificateFiles(t)
  const relay = createRelay(parseService(source, '127.0.0.1:1'))
  const io = fakeIo()
  t.mock.method(fs, 'watch', () => {
    throw new Error('ENOSPC: no space left on device, watch')
  })
  syncBuiltinESMExports()
  new FileWatch(io, () => [relay]).watch()
  t.mock.restoreAll()
  syncBuiltinESMExports()
  assert.ok(
    io.written
      .join('')
      .includes(` not-watched directory=${at} error="Error: ENOSPC: no space left on device, watch"\n`),
  )
  await relay.server.abort()
})

test('what upstreams by server name are checked by is watched as well, also while it is not there', async t => {
  const { cert, directory: at } = certificateFiles(t)
  const upstreams = [`ssl://127.0.0.1:1?cafile=${cert}`, `ssl://127.0.0.1:2?cafile=${cert}&capath=${at}`]
  writeFileSync(join(at, '01234567.0'), certificate.cert)
  const routes = [{ names: ['a.example'], upstreams }]
  const relay = createRelay(parseService(':1', '127.0.0.1:1', { passthrough: { routes } }))
  rmSync(at, { recursive: true })
  await listen(t) // it keeps the process alive, which the watch does not
  const io = fakeIo()
  const watch = new FileWatch(io, () => [relay])
  watch.watch()
  mkdirSync(at)
  await io.line(/ not-renewed service=\S+ error="upstream TLS: .*ENOENT/)
  watch.stop()
  await relay.server.abort()
})

test('a list of networks that changes is noticed without a signal, and a wrong one is reported and changes nothing', async t => {
  const file = join(temporaryFolder(t), 'deny.txt')
  writeFileSync(file, '192.0.2.1\n')
  const upstream = await listen(t)
  const { io, ports } = await start(t, runServer, [
    ...['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`],
    ...['--deny', `file:${file},192.0.2.7`],
  ])
  assert.match(await io.line(/ listening /), new RegExp(` deny="file:${file},192\\.0\\.2\\.7"`))
  const [port = 0] = ports
  dial(t, port)
  await upstream.accept()

  writeFileSync(file, '127.0.0.1\n::1\n')
  assert.match(await io.line(/ networks /), / service=\S+ deny=3\n/)
  assert.deepEqual((await outcome(dial(t, port))).fin, true)
  assert.match(await io.line(/ rejected /), /reason=denied_acl .*127\.0\.0\.1, by deny/)

  writeFileSync(file, '127.0.0.300\n')
  io.send('SIGHUP')
  assert.match(await io.line(/ networks-failed /), / service=\S+ error=".*deny\.txt:1:1: /)
  assert.deepEqual((await outcome(dial(t, port))).fin, true)
  assert.equal(upstream.accepted, 1)
})

test('between the files of two services the event loop turns, and a stop or a later renewal ends one', async t => {
  const io = fakeIo()
  const events: string[] = []
  const relays = ['one', 'two'].map(name => {
    const relay = createRelay(parseService('127.0.0.1:0', '127.0.0.1:1', { name }))
    t.after(() => relay.server.abort())
    return Object.assign(relay, { reloadNetworks: () => void events.push(name) })
  })
  const watch = new FileWatch(io, () => relays)
  setImmediate(() => events.push('turn'))
  await watch.renew()
  assert.deepEqual(events.splice(0), ['one', 'turn', 'two'])
  await Promise.all([watch.renew(), watch.renew()])
  assert.deepEqual(events.splice(0), ['one', 'one', 'two'])
  const renewing = watch.renew()
  watch.stop()
  await renewing
  assert.deepEqual(events, ['one'])
})
