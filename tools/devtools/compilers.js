'use strict'

/*
 * WeChat's own compilers, as far as they work without a network and without an upload key: what they accept, DevTools
 * accepts. They are large and are only here for `python3 dev.py test --only devtools`, which installs them.
 */

const { execFile } = require('node:child_process')
const path = require('node:path')
const vm = require('node:vm')

const PACK_MS = 300000

/**
 * Packs a project as an upload would (see pack.js).
 * @param {string} project folder with project.config.json
 * @returns {Promise<number>} bytes of the package as it would be uploaded. Rejects with the packer's words.
 */
function pack(project) {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [path.join(__dirname, 'pack.js'), project], { maxBuffer: 1e8, timeout: PACK_MS, killSignal: 'SIGKILL' }, (error, out, said) => {
      const size = /^package (\d+) bytes$/m.exec(out)
      const refused = /^refused: [^]*/m.exec(said)
      if (size) resolve(Number(size[1]))
      else reject(new Error(refused ? refused[0] : String(error)))
    })
  })
}

/**
 * Compiles all templates of a mini-program with the classic compiler (wcc).
 * @param {string} source its folder
 * @returns {Promise<(template: string, data: object) => object>} draws a template, as the tree that WeChat's view layer
 *   receives. Rejects with the compiler's words.
 */
async function templates(source) {
  const { wxmlToJs } = require('miniprogram-compiler')
  const script = String(await wxmlToJs(source))
  const scope = { console, window: {}, __wxAppCode__: {} }
  const group = vm.runInNewContext(`(function () {${script}})()`, scope)
  return (template, data) => {
    const draw = group(template)
    if (typeof draw !== 'function') throw new Error(`${template} was not compiled`)
    return draw(data, {}, scope)
  }
}

/**
 * Compiles all style sheets with the classic compiler (wcsc). Rejects with the compiler's words.
 * @param {string} source folder of the mini-program
 * @returns {Promise<number>} bytes of the result
 */
async function styles(source) {
  const { wxssToJs } = require('miniprogram-compiler')
  return String(await wxssToJs(source)).length
}

module.exports = { pack, templates, styles }
