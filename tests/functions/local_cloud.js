'use strict';

// The real container behind the real local Cloud Run, with its public link on, as a cloud function reaches it.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');

const ROOT = path.join(__dirname, '../..');
const PYTHON = [process.env.YUNLIAO_PYTHON, path.join(ROOT, '.venv/bin/python'), path.join(ROOT, '.venv/Scripts/python.exe')].find((one) => one && fs.existsSync(one));

class LocalCloud {
  /** @param {Record<string, string>} env of the container */
  static async start(env) {
    const cloud = new LocalCloud();
    cloud.data = fs.mkdtempSync(path.join(os.tmpdir(), 'yunliao-functions-'));
    const settings = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const starter = process.platform === 'linux' ? [path.join(ROOT, 'tools/cloudrun/child.py'), String(process.pid), PYTHON] : [];
    const words = [...starter, '-m', 'cloudrun', '--port', '0', '--json', '--instances', '2', '--data', cloud.data, ...settings];
    const environment = Object.assign({}, process.env, { PYTHONPATH: path.join(ROOT, 'tools'), PYTHONUNBUFFERED: '1' });
    cloud.child = spawn(PYTHON, words, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    cloud.exited = new Promise((done) => {
      cloud.child.on('exit', done);
    });
    const said = [];
    const ready = new Promise((resolve, reject) => {
      readline.createInterface({ input: cloud.child.stdout }).on('line', (line) => {
        said.push(line);
        const event = line.startsWith('{') ? JSON.parse(line) : {};
        if (event.event === 'ready') resolve(event.url);
        if (event.event === 'failed') reject(new Error(event.text));
      });
      cloud.exited.then((code) => reject(new Error(`the local Cloud Run ended (${code}):\n${said.slice(-20).join('\n')}`)));
    });
    try {
      cloud.url = await ready;
      await cloud.order('faults', { public_link: true });
    } catch (error) {
      await cloud.stop();
      throw error;
    }
    return cloud;
  }

  /** One order to the control plane; the JSON answer. */
  async order(what, body) {
    const options = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${this.url}/__local/${what}`, options);
    const data = await answer.json();
    if (!answer.ok) throw new Error(`${what}: ${answer.status} ${JSON.stringify(data)}`);
    return data;
  }

  /** Somebody opened the mini-program just now (the two-hour rule of the content check). */
  visit(openid) {
    return this.order('wechat/visit', { openid });
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGINT');
      const patience = setTimeout(() => this.child.kill('SIGKILL'), 30000);
      await this.exited;
      clearTimeout(patience);
    }
    fs.rmSync(this.data, { recursive: true, force: true });
  }
}

module.exports = { LocalCloud, ROOT };
