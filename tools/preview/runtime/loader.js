// Runs the files of the mini-program as they are, each in a function of its own, without the browser's globals.
import { recordError } from './engine.js'

// What a browser has and a mini-program has not. `typeof window` is 'undefined' inside mini-program code.
const ABSENT = ['window', 'document', 'self', 'globalThis', 'fetch', 'localStorage', 'sessionStorage', 'indexedDB', 'URL', 'URLSearchParams',
  'XMLHttpRequest', 'WebSocket', 'EventSource', 'navigator', 'location', 'history', 'Image', 'Audio', 'Worker', 'SharedWorker',
  'TextDecoder', 'TextEncoder', 'AbortController', 'AbortSignal', 'Blob', 'File', 'FileReader', 'FormData', 'Headers', 'Request',
  'Response', 'ReadableStream', 'crypto', 'performance', 'structuredClone', 'queueMicrotask', 'atob', 'btoa', 'alert', 'confirm',
  'prompt', 'MutationObserver', 'IntersectionObserver', 'ResizeObserver', 'requestAnimationFrame', 'cancelAnimationFrame',
  'requestIdleCallback', 'getComputedStyle', 'matchMedia', 'customElements', 'DOMParser', 'Node', 'HTMLElement', 'Element',
  'BroadcastChannel', 'Notification', 'caches', 'eval', '__mp', 'parent', 'top', 'frames', 'open', 'postMessage']

export class Loader {
  /**
   * @param modules  {path: {requires}} of the manifest
   * @param texts    Map path -> source text
   * @param provide  function(path) -> {wx, App, Page, Component, Behavior, getApp, getCurrentPages}
   */
  constructor(modules, texts, provide) {
    this.modules = modules
    this.texts = texts
    this.provide = provide
    this.loaded = new Map()
    this.path = ''
  }

  resolve(from, specifier) {
    const known = this.modules[from] && this.modules[from].requires[specifier]
    if (known) return known
    const plain = new URL(specifier, `https://x/${from}`).pathname.slice(1)
    const found = [plain, `${plain}.js`, `${plain}/index.js`].find((p) => this.texts.has(p))
    if (!found) throw new Error(`module '${specifier}' is not defined, required by ${from}`)
    return found
  }

  require(path) {
    const known = this.loaded.get(path)
    if (known) return known.exports
    if (!this.texts.has(path)) throw new Error(`module '${path}' is not defined`)
    const module = { exports: {}, id: path }
    this.loaded.set(path, module)
    const given = this.provide(path)
    const names = ['module', 'exports', 'require', ...Object.keys(given)]
    const values = [module, module.exports, (specifier) => this.require(this.resolve(path, specifier)), ...Object.values(given)]
    // The inner function keeps top-level `let` and `const` of the file from clashing with the parameters.
    // Its line breaks are such that line numbers are those of the file.
    const body = `return (function(){${this.texts.get(path)}\n}).call(undefined)\n//# sourceURL=mp:///${path}`
    try {
      new Function(...names, ...ABSENT.filter((n) => !names.includes(n)), body).apply(undefined, values)
    } catch (error) {
      this.loaded.delete(path)
      throw error
    }
    return module.exports
  }

  /** Runs a page's or component's file once; errors are recorded, not thrown. */
  runComponent(path) {
    if (this.loaded.has(`${path}.js`)) return
    const before = this.path
    this.path = path
    try {
      this.require(`${path}.js`)
    } catch (error) {
      recordError(error, `${path}.js`)
    } finally {
      this.path = before
    }
  }
}
