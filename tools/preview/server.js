#!/usr/bin/env node
'use strict'

/*
 * Serves the mini-program in a web page, or checks that it compiles.
 *
 *   node tools/preview/server.js --port 8788 --source miniprogram --gateway ""
 *   node tools/preview/server.js --check --source miniprogram
 *
 * --gateway is the address of the local Cloud Run as the page sees it; '' means the page's own origin (the gateway
 * hands the page on). With --upstream the server hands everything that is not its own on to that address, so that the
 * page can also be opened at this server's port.
 */

const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { parseArgs } = require('node:util')
const esbuild = require('esbuild')
const { compileApp } = require('./compile/app')
const { SourceTree } = require('./compile/resolve')

const HERE = __dirname
const TYPES = {
  '.js': 'text/javascript', '.json': 'application/json', '.css': 'text/css', '.html': 'text/html', '.wxml': 'text/plain', '.wxss': 'text/plain',
  '.wxs': 'text/plain', '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.gif': 'image/gif', '.svg': 'image/svg+xml', '.webp': 'image/webp',
}

/** The browser part as one script. */
function bundleRuntime() {
  return esbuild.buildSync({
    entryPoints: [path.join(HERE, 'runtime/main.js')], bundle: true, format: 'esm', target: 'es2022', write: false,
    define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'silent',
  }).outputFiles[0].text
}

class Preview {
  constructor({ source, gateway }) {
    this.tree = new SourceTree(source)
    this.gateway = gateway
    this.runtime = bundleRuntime()
    this.print = ''
    this.app = null
  }

  /** The compiled app; compiled anew only after a change. */
  compiled() {
    const print = this.tree.fingerprint()
    if (print !== this.print) {
      this.app = compileApp(this.tree.root)
      this.print = print
    }
    return this.app
  }

  /** Body and type of a path of this server, or null. */
  answer(url) {
    const page = (name) => fs.readFileSync(path.join(HERE, 'page', name))
    switch (url) {
      case '/':
      case '/index.html': return [page('index.html'), '.html']
      case '/__preview/page.css': return [page('page.css'), '.css']
      case '/__preview/elements.css': return [page('elements.css'), '.css']
      case '/__preview/runtime.js': return [this.runtime, '.js']
      case '/__preview/manifest.json': return [JSON.stringify({ ...this.compiled().manifest, gateway: this.gateway }), '.json']
      case '/__preview/packed.json': return [JSON.stringify(this.compiled().packed), '.json']
      case '/__preview/templates.js': return [this.compiled().templates, '.js']
      case '/__preview/app.css': return [this.compiled().css, '.css']
      case '/__preview/healthz': return ['{"ok":true}', '.json']
      default: return this.file(url)
    }
  }

  file(url) {
    if (!url.startsWith('/__preview/src/')) return null
    const full = this.tree.absolute(decodeURIComponent(url.slice('/__preview/src/'.length)))
    if (!full || !fs.existsSync(full) || !fs.statSync(full).isFile()) return null
    return [fs.readFileSync(full), path.extname(full)]
  }
}

// Scripts only from here, connections only to where the page came from. Images and fonts stay open to https, as in
// WeChat: that no stranger's is asked for is the mini-program's own promise, and tests watch the requests.
const policy = (gateway) => {
  const extra = gateway ? ` ${gateway} ${gateway.replace(/^http/, 'ws')}` : ''
  return "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; " +
    `font-src 'self' data: https:; connect-src 'self'${extra}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`
}

function serve(preview, { upstream }) {
  const target = upstream ? new URL(upstream) : null
  const server = http.createServer((request, response) => {
    const url = request.url.split('?')[0]
    let found
    try {
      found = preview.answer(url)
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`preview: ${error.message}`)
      return
    }
    if (found) {
      const type = TYPES[found[1]] || 'application/octet-stream'
      response.writeHead(200, {
        'content-type': /^text|json|javascript|svg/.test(type) ? `${type}; charset=utf-8` : type,
        'cache-control': 'no-store', 'x-content-type-options': 'nosniff',
        ...(found[1] === '.html' ? { 'content-security-policy': policy(preview.gateway), 'referrer-policy': 'no-referrer' } : {}),
      }).end(found[0])
    } else if (target) {
      const passed = http.request(target, { method: request.method, path: request.url, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers)
        answer.pipe(response)
      })
      passed.on('error', () => response.headersSent || response.writeHead(502).end())
      request.pipe(passed)
    } else response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('not here')
  })
  // Node forgets a connection that became a WebSocket, and would wait for its end for ever when the server closes.
  server.upgraded = new Set()
  if (target) {
    server.on('upgrade', (request, socket, head) => {
      server.upgraded.add(socket)
      socket.on('close', () => server.upgraded.delete(socket))
      passUpgrade(target, request, socket, head)
    })
  }
  return server
}

/** Hands a WebSocket handshake on byte for byte. */
function passUpgrade(target, request, socket, head) {
  const peer = net.connect(Number(target.port) || 80, target.hostname, () => {
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
    peer.write(`${lines.join('\r\n')}\r\n\r\n`)
    peer.write(head)
    peer.pipe(socket).pipe(peer)
  })
  for (const end of [peer, socket]) {
    end.on('error', () => {
      peer.destroy()
      socket.destroy()
    })
  }
}

/** Starts a preview server. Resolves `{url, port, close}`. */
function start({ source, gateway = '', upstream = '', port = 0, host = '127.0.0.1' }) {
  const preview = new Preview({ source, gateway })
  const server = serve(preview, { upstream })
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, host, () => {
      const bound = server.address().port
      resolve({
        port: bound, url: `http://${host}:${bound}`, preview,
        close: () => new Promise((done) => {
          server.close(done)
          server.closeAllConnections()
          for (const socket of server.upgraded) socket.destroy()
        }),
      })
    })
  })
}

function check(source) {
  const { problems } = compileApp(source)
  for (const p of problems) console.log(`${p.level}: ${p.where}: ${p.message}`)
  const errors = problems.filter((p) => p.level === 'error').length
  console.log(errors ? `${errors} errors` : 'the mini-program compiles')
  return errors ? 1 : 0
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8788' }, host: { type: 'string', default: '127.0.0.1' },
      source: { type: 'string', default: 'miniprogram' }, gateway: { type: 'string', default: '' },
      upstream: { type: 'string', default: '' }, check: { type: 'boolean', default: false },
    },
  })
  if (values.check) {
    process.exitCode = check(values.source)
    return
  }
  const server = await start({ ...values, port: Number(values.port) })
  console.log(`preview ${server.url}`)
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.close().then(() => process.exit(0)))
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}

module.exports = { start, check, bundleRuntime }
