'use strict'

const fs = require('node:fs')
const path = require('node:path')

/** Slashes of this system turned into the slashes of a mini-program path. */
function posix(file) {
  return file.split(path.sep).join('/')
}

/** A tree of source files, addressed by mini-program paths: no leading slash, `/` between the parts. */
class SourceTree {
  constructor(root) {
    this.root = path.resolve(root)
    this.cache = new Map()
  }

  /** The absolute path on disk, or null when the path would leave the tree. */
  absolute(file) {
    const full = path.resolve(this.root, file)
    return full === this.root || full.startsWith(this.root + path.sep) ? full : null
  }

  has(file) {
    const full = this.absolute(file)
    try {
      return full !== null && fs.statSync(full).isFile()
    } catch {
      return false
    }
  }

  read(file) {
    if (!this.cache.has(file)) this.cache.set(file, fs.readFileSync(this.absolute(file), 'utf8'))
    return this.cache.get(file)
  }

  /** Parsed JSON of a file, `{}` when there is no such file. */
  json(file) {
    return this.has(file) ? JSON.parse(this.read(file)) : {}
  }

  /** Newest change time and number of files: a cheap fingerprint of the whole tree. */
  fingerprint() {
    let newest = 0
    let count = 0
    const walk = (dir) => {
      for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
        const full = path.join(dir, entry.name)
        if (entry.isDirectory()) walk(full)
        else {
          count += 1
          newest = Math.max(newest, fs.statSync(full).mtimeMs)
        }
      }
    }
    walk(this.root)
    return `${count}:${newest}`
  }
}

function join(base, specifier) {
  if (specifier.startsWith('/')) return path.posix.normalize(specifier.slice(1))
  return path.posix.normalize(path.posix.join(path.posix.dirname(base), specifier))
}

/** Folders named miniprogram_npm from the folder of `from` up to the root, nearest first. */
function npmFolders(from) {
  const folders = []
  let dir = path.posix.dirname(from)
  for (;;) {
    folders.push(dir === '.' ? 'miniprogram_npm' : `${dir}/miniprogram_npm`)
    if (dir === '.' || dir === '') return folders
    dir = path.posix.dirname(dir)
  }
}

/** What `require(specifier)` in `from` means: a path with `.js`, or null. */
function resolveScript(tree, from, specifier) {
  const tries = (stem) => [stem, `${stem}.js`, `${stem}/index.js`].find((p) => p.endsWith('.js') && tree.has(p)) || null
  if (specifier.startsWith('.') || specifier.startsWith('/')) return tries(join(from, specifier))
  for (const folder of npmFolders(from)) {
    const found = tries(`${folder}/${specifier}`)
    if (found) return found
  }
  return null
}

/** What a `usingComponents` value in `from` means: a path without extension, or null. */
function resolveComponent(tree, from, specifier) {
  const exists = (stem) => tree.has(`${stem}.json`) && tree.has(`${stem}.wxml`)
  const tries = (stem) => [stem, `${stem}/index`].find(exists) || null
  const direct = tries(join(from, specifier))
  if (direct || specifier.startsWith('.') || specifier.startsWith('/')) return direct
  for (const folder of npmFolders(from)) {
    const found = tries(`${folder}/${specifier}`)
    if (found) return found
  }
  return null
}

module.exports = { SourceTree, join, posix, resolveScript, resolveComponent }
