'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const { spawn, execFile } = require('node:child_process')
const { start, within, ROOT } = require('./harness')

const SOURCE = process.env.YUNLIAO_MINIPROGRAM || path.join(ROOT, 'miniprogram')

const START_MS = 120000
const CALL_MS = 60000

/** The Python of the project: YUNLIAO_PYTHON, else .venv. */
function python() {
  const found = [process.env.YUNLIAO_PYTHON, path.join(ROOT, '.venv/bin/python'), path.join(ROOT, '.venv/Scripts/python.exe')].find((p) => p && fs.existsSync(p))
  if (!found) throw new Error('no .venv: run python3 dev.py setup')
  return found
}

/** The real container behind the real local Cloud Run, with the preview at `/`: what `python3 dev.py run` starts. */
class LocalCloud {
  /** @param options.instances  how many  @param options.env  environment of the container  @param options.source  another mini-program
   * @param options.unready  also with settings that keep the service from working */
  static async start({ instances = 1, env = {}, source = SOURCE, unready = false } = {}) {
    const cloud = new LocalCloud()
    cloud.env = env
    cloud.data = fs.mkdtempSync(path.join(os.tmpdir(), 'yunliao-browser-'))
    cloud.preview = await start({ source })
    const starter = process.platform === 'linux' ? [path.join(ROOT, 'tools/cloudrun/child.py'), String(process.pid), python()] : []
    const settings = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    cloud.child = spawn(python(), [...starter, '-m', 'cloudrun', '--port', '0', '--json', '--instances', String(instances), '--data', cloud.data,
      '--preview', cloud.preview.url, ...(unready ? ['--unready'] : []), ...settings], {
      cwd: ROOT, env: { ...process.env, PYTHONPATH: path.join(ROOT, 'tools'), PYTHONUNBUFFERED: '1' }, stdio: ['ignore', 'pipe', 'pipe'],
    })
    cloud.said = []
    cloud.child.stderr.on('data', (chunk) => cloud.said.push(String(chunk)))
    cloud.exited = new Promise((done) => cloud.child.on('exit', done).on('error', done))
    const lines = readline.createInterface({ input: cloud.child.stdout })
    try {
      cloud.url = await within(START_MS, () => new Promise((resolve, reject) => {
        lines.on('line', (line) => {
          cloud.said.push(line)
          if (!line.startsWith('{')) return
          const event = JSON.parse(line)
          if (event.event === 'ready') resolve(event.url)
          if (event.event === 'failed') reject(new Error(event.text))
        })
        cloud.exited.then((code) => reject(new Error(`the local Cloud Run ended (${code}):\n${cloud.said.slice(-20).join('\n')}`)))
      }), 'the local Cloud Run to be ready')
    } catch (error) {
      await cloud.stop()
      throw error
    }
    return cloud
  }

  /** One order to the control plane; the JSON answer. */
  async order(what, body) {
    const response = await fetch(`${this.url}/__local/${what}`, {
      signal: AbortSignal.timeout(CALL_MS),
      ...(body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(`${what}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }

  state() {
    return this.order('state')
  }

  /** Sets switches of the gateway, the demo relay or WeChat's server API. */
  set(where, switches) {
    return this.order(where === 'gateway' ? 'faults' : where, switches)
  }

  /** One call as the mini-program of `user` makes it; the JSON body. */
  async call(user, method, target, body) {
    const response = await fetch(this.url + target, {
      method, headers: { 'X-WX-SERVICE': 'yunliao', 'X-Local-User': user, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(CALL_MS),
    })
    return response.json()
  }

  /** What the operator's command line says to `python3 -m yunliao ...words`, over this service's store. */
  operate(...words) {
    const env = { ...process.env, ...this.env, PYTHONPATH: path.join(ROOT, 'tools') }
    return new Promise((resolve, reject) => {
      execFile(python(), ['-m', 'cloudrun.operate', '--data', this.data, ...words], { cwd: ROOT, env, timeout: CALL_MS }, (error, out, said) => (error ? reject(new Error(`${words[0]}: ${said || error}`)) : resolve(out)))
    })
  }

  /** `user` has agreed, as after the first use. */
  agree(user) {
    return this.call(user, 'PUT', '/v1/me/consent', { version: 'latest', overseas: true })
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGINT')
      const patience = setTimeout(() => this.child.kill('SIGKILL'), 30000)
      await this.exited
      clearTimeout(patience)
    }
    await this.preview.close()
    fs.rmSync(this.data, { recursive: true, force: true })
  }
}

module.exports = { LocalCloud, SOURCE }
