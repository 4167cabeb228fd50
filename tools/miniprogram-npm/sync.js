#!/usr/bin/env node
'use strict'

/*
 * Brings miniprogram/miniprogram_npm in line with the `dependencies` of package.json, so that the project opens in
 * WeChat DevTools as it is: no `npm install`, no "build npm".
 *
 *   node tools/miniprogram-npm/sync.js            writes the folder
 *   node tools/miniprogram-npm/sync.js --check    says what differs, exit 1 when something does
 *
 * Only files that the mini-program reaches are kept (the whole of TDesign is three quarters of what a package may
 * weigh), byte for byte as they were published, with each library's licence.
 */

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { compileApp } = require('../preview/compile/app')
const { SourceTree, join } = require('../preview/compile/resolve')

const ROOT = path.resolve(__dirname, '../..')
const FOLDER = 'miniprogram_npm'
/** `src` of import, include and wxs in WXML, `require` in WXS. */
const LINKS = /(?:<(?:import|include|wxs)\b[^>]*?\bsrc=|\brequire\()\s*(['"])([^'"]+)\1/g
const SHEETS = /@import\s+(?:url\()?\s*(['"])([^'"]+)\1/g

/** Name -> folder with the mini-program files of each dependency. Throws for one that is not a mini-program package. */
function libraries(root) {
  const { dependencies = {} } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return Object.entries(dependencies).map(([name, wanted]) => {
    const home = path.join(root, 'node_modules', name)
    if (!fs.existsSync(home)) throw new Error(`${name} is not installed: run npm ci --ignore-scripts`)
    const about = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'))
    if (about.version !== wanted) throw new Error(`${name} is ${about.version}, package.json asks for exactly ${wanted}`)
    const dist = path.join(home, about.miniprogram || 'miniprogram_dist')
    if (!fs.existsSync(dist)) throw new Error(`${name} is not a mini-program package (no "miniprogram" folder)`)
    return { name, home, dist }
  })
}

/** Files of the components and modules of a compiled mini-program, with what their templates and style sheets bring in; sorted. */
function reached(tree, manifest) {
  const seen = new Set()
  const take = (file) => {
    if (seen.has(file) || !tree.has(file)) return
    seen.add(file)
    const links = /\.wx(ml|s)$/.test(file) ? LINKS : /\.wxss$/.test(file) ? SHEETS : null
    if (links) for (const [, , target] of tree.read(file).matchAll(links)) take(join(file, target))
  }
  for (const stem of Object.keys(manifest.components)) for (const end of ['json', 'wxml', 'wxss']) take(`${stem}.${end}`)
  Object.keys(manifest.modules).forEach(take)
  return [...seen].sort()
}

/** Path below miniprogram_npm -> bytes, of everything the mini-program needs. Throws when it does not compile. */
function needed(root) {
  const source = path.join(root, 'miniprogram')
  const found = libraries(root)
  // A look-alike of the source in which the libraries are whole; links only, nothing is copied.
  const stage = fs.mkdtempSync(path.join(os.tmpdir(), 'miniprogram-npm-'))
  try {
    for (const entry of fs.readdirSync(source)) {
      if (entry !== FOLDER) fs.symlinkSync(path.join(source, entry), path.join(stage, entry))
    }
    for (const { name, dist } of found) {
      const target = path.join(stage, FOLDER, name)
      fs.mkdirSync(path.dirname(target), { recursive: true })
      fs.symlinkSync(dist, target)
    }
    const { manifest, problems } = compileApp(stage)
    const wrong = problems.filter((problem) => problem.level === 'error')
    if (wrong.length) throw new Error(wrong.map((problem) => `${problem.where}: ${problem.message}`).join('\n'))
    const files = new Map()
    for (const file of reached(new SourceTree(stage), manifest)) {
      if (file.startsWith(`${FOLDER}/`)) files.set(file.slice(FOLDER.length + 1), fs.readFileSync(path.join(stage, file)))
    }
    for (const { name, home } of found) {
      const used = [...files.keys()].some((file) => file.startsWith(`${name}/`))
      if (!used) throw new Error(`nothing of ${name} is used: take it out of package.json`)
      files.set(`${name}/LICENSE`, fs.readFileSync(path.join(home, 'LICENSE')))
    }
    return files
  } finally {
    fs.rmSync(stage, { recursive: true, force: true })
  }
}

function filesUnder(folder) {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath || entry.path, entry.name)).split(path.sep).join('/'))
}

/** What differs between `folder` and the files that are needed, as sentences. */
function differences(folder, files) {
  const there = filesUnder(folder)
  const said = there.filter((file) => !files.has(file)).map((file) => `not needed: ${file}`)
  for (const [file, bytes] of files) {
    if (!there.includes(file)) said.push(`missing: ${file}`)
    else if (!fs.readFileSync(path.join(folder, file)).equals(bytes)) said.push(`changed: ${file}`)
  }
  return said
}

function write(folder, files) {
  fs.rmSync(folder, { recursive: true, force: true })
  for (const [file, bytes] of files) {
    const target = path.join(folder, file)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    fs.writeFileSync(target, bytes)
  }
}

function main(check) {
  const folder = path.join(ROOT, 'miniprogram', FOLDER)
  const files = needed(ROOT)
  const said = differences(folder, files)
  if (!check && said.length) write(folder, files)
  const bytes = [...files.values()].reduce((sum, one) => sum + one.length, 0)
  for (const line of said) console.log(line)
  if (check && said.length) console.log('miniprogram_npm is not what package.json and the source ask for: run node tools/miniprogram-npm/sync.js')
  else console.log(`miniprogram_npm: ${files.size} files, ${Math.round(bytes / 1024)} KB, ${said.length && !check ? 'written' : 'up to date'}`)
  return check && said.length ? 1 : 0
}

if (require.main === module) {
  try {
    process.exitCode = main(process.argv.includes('--check'))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}

module.exports = { needed, differences }
