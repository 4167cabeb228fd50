'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { chromium } = require('playwright-core')

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'microsoft-edge-stable', 'msedge', 'chrome']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => (process.env[name] ? [
    path.join(process.env[name], 'Google', 'Chrome', 'Application', 'chrome.exe'),
    path.join(process.env[name], 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    path.join(process.env[name], 'Chromium', 'Application', 'chrome.exe'),
  ] : [])),
]
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']

/** Path of a browser of the Chromium family, or null. YUNLIAO_CHROMIUM, when set, is the only place looked at. */
function findBrowser(env = process.env) {
  const runs = (file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return fs.statSync(file).isFile()
    } catch {
      return false
    }
  }
  if (env.YUNLIAO_CHROMIUM) return runs(env.YUNLIAO_CHROMIUM) ? env.YUNLIAO_CHROMIUM : null
  const folders = (env.PATH || '').split(path.delimiter).filter(Boolean)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const onPath = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name + suffix)))
  return [...onPath, ...PLACES].find(runs) || null
}

/** Starts the browser. Throws an error that says what to do when there is none. */
function launchBrowser(options = {}) {
  const executablePath = findBrowser()
  if (!executablePath) {
    throw new Error('没有找到 Chromium 内核的浏览器：请安装 Chromium、Chrome 或 Edge，或把路径写进环境变量 YUNLIAO_CHROMIUM。\n' +
      'No browser of the Chromium family was found: install Chromium, Chrome or Edge, or put its path into YUNLIAO_CHROMIUM.')
  }
  return chromium.launch({ executablePath, args: ARGUMENTS, ...options })
}

// `node tools/preview/browser.js` says which browser would be used; exit status 1 when there is none.
if (require.main === module) {
  const found = findBrowser()
  if (found) console.log(found)
  else process.exitCode = 1
}

module.exports = { findBrowser, launchBrowser }
