#!/usr/bin/env node
'use strict'

/*
 * Packs a project as an upload would: scripts translated and minified, configuration and limits checked. Offline: every
 * name look-up is refused, so that nothing can leave. Prints the size of the package in bytes; exit 1 with the packer's
 * words when it refuses.
 *
 *   node tools/devtools/pack.js PROJECT
 */

const dns = require('node:dns')
const { generateKeyPairSync } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const refuse = (name, ...rest) => rest.pop()(Object.assign(new Error(`${name}: no network for this check`), { code: 'ENOTFOUND' }))
dns.lookup = refuse
dns.resolve4 = refuse

/** An appid of the right form that belongs to nobody: nothing is uploaded. */
const NOBODY = 'wx0000000000000000'

async function pack(project) {
  const ci = require('miniprogram-ci')
  const stage = fs.mkdtempSync(path.join(os.tmpdir(), 'miniprogram-pack-'))
  try {
    const key = path.join(stage, 'throwaway.key')
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    })
    fs.writeFileSync(key, privateKey)
    const made = new ci.Project({ appid: NOBODY, type: 'miniProgram', projectPath: project, privateKeyPath: key, ignores: ['node_modules/**/*'] })
    // What the platform would say of the appid (limits, rights): its documented defaults, since nobody is asked.
    made.attr = async () => ({ ...ci.DefaultProjectAttr, appid: NOBODY })
    const { setting } = JSON.parse(fs.readFileSync(path.join(project, 'project.config.json'), 'utf8'))
    const target = path.join(stage, 'package.zip')
    await ci.getCompiledResult({
      project: made, version: '0.0.0', desc: 'check', onProgressUpdate() {},
      setting: { es6: setting.es6, es7: setting.enhance, minifyJS: setting.minified, minifyWXML: setting.minified, minifyWXSS: setting.minified },
    }, target)
    return fs.statSync(target).size
  } finally {
    fs.rmSync(stage, { recursive: true, force: true })
  }
}

// The packer keeps worker processes; ending this one ends them.
pack(path.resolve(process.argv[2] || '.')).then(
  (bytes) => process.stdout.write(`package ${bytes} bytes\n`, () => process.exit(0)),
  (error) => process.stderr.write(`refused: ${error && error.message ? error.message : error}\n`, () => process.exit(1)),
)
