#!/usr/bin/env node
'use strict'

/*
 * What one more delta of a streamed Markdown answer costs the phone, as the answer grows: script time and bytes of
 * setData, side by side with parsing everything anew and handing over the whole list, as most chat pages do.
 *
 *   node tools/preview/stream_cost.js [--characters 20000] [--delta 20] [--rounds 3]
 *
 * The unmodified answer component in Chromium, fed by the unmodified store; a delta every 100 ms of a clock that is
 * turned by hand, so that nothing but script runs between two readings of the time. Style and layout are not in it.
 */

const path = require('node:path')
const { parseArgs } = require('node:util')
const esbuild = require('esbuild')
const { launchBrowser } = require('./browser')
const { openPhone } = require('./phone')
const { start } = require('./server')
const { mixedAnswer } = require('../../tests/js/answers')

const SOURCE = path.join(__dirname, '../../miniprogram')
/** Deltas whose mean is the cost at a length: some of them are held back to save bytes, and come with a later one. */
const AROUND = 50

/** In the page: streams `text` both ways; milliseconds and bytes per delta. */
async function streamInPage({ text, delta, way }) {
  /* global MINI */
  const app = window.__mp.app()
  const clock = {
    time: 0, timers: [],
    now() { return this.time },
    after(ms, run) {
      const one = { at: this.time + ms, run }
      this.timers.push(one)
      return () => { this.timers = this.timers.filter((other) => other !== one) }
    },
    turn(ms) {
      const end = this.time + ms
      for (;;) {
        const [due] = this.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)
        if (!due) break
        this.timers = this.timers.filter((one) => one !== due)
        this.time = due.at
        due.run()
      }
      this.time = end
    },
  }
  const answer = new MINI.Answer({ clock, imageHosts: [], instant: false })
  const view = { tell: null }
  app.chatOnScreen = {
    watchAnswer(key, watcher) {
      view.tell = watcher
      const off = way === 'incremental' ? answer.watch(watcher) : () => {}
      return off
    },
  }
  window.__mp.stats.reset()
  const component = await window.__mp.mount('components/answer/answer', { messageKey: 'm' })
  const costs = []
  for (let end = delta; end <= text.length; end += delta) {
    const shown = text.slice(0, end)
    const before = performance.now()
    if (way === 'incremental') {
      answer.update({ text: shown, reasoning: '', revision: 0, done: false })
      clock.turn(100)
    } else component.setData({ b: MINI.parse(shown) })
    costs.push(performance.now() - before)
    if (end % (delta * 50) === 0) await new Promise((done) => setTimeout(done, 0))
  }
  return { costs, bytes: window.__mp.stats.bytes }
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

async function measure({ characters, delta, rounds }) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: "module.exports = { Answer: require('./stores/answer').Answer, parse: require('./core/markdown').parse }", resolveDir: SOURCE },
    bundle: true, write: false, format: 'iife', globalName: 'MINI', platform: 'browser',
  })
  const text = mixedAnswer(characters)
  const points = [1000, 5000, 20000].filter((n) => n <= characters)
  const server = await start({ source: SOURCE })
  const browser = await launchBrowser()
  const found = { incremental: [], whole: [] }
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const way of ['incremental', 'whole']) {
        const context = await browser.newContext({ viewport: { width: 390, height: 844 }, bypassCSP: true })
        const phone = await openPhone(context, server.url, { panel: '0' })
        await phone.page.addScriptTag({ content: outputFiles[0].text })
        const one = await phone.page.evaluate(streamInPage, { text, delta, way })
        const at = points.map((n) => {
          const index = Math.min(one.costs.length - 1, Math.round(n / delta) - 1)
          return mean(one.costs.slice(Math.max(0, index - AROUND), index + 1))
        })
        found[way].push({ at, total: one.costs.reduce((a, b) => a + b, 0), largest: Math.max(...one.costs), ratio: one.bytes / Buffer.byteLength(text) })
        await context.close()
        console.error(`round ${round + 1} of ${rounds}: ${way} done`)
      }
    }
  } finally {
    await browser.close()
    await server.close()
  }
  return { points, found, characters: text.length, bytes: Buffer.byteLength(text) }
}

/** Median over the rounds with the least and the most. */
function spread(list, digits) {
  return `${median(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)})`
}

async function main() {
  const { values } = parseArgs({ options: {
    characters: { type: 'string', default: '20000' }, delta: { type: 'string', default: '20' }, rounds: { type: 'string', default: '3' },
  } })
  const { points, found, characters, bytes } = await measure({ characters: Number(values.characters), delta: Number(values.delta), rounds: Number(values.rounds) })
  console.log(`answer of ${characters} characters (${bytes} bytes), ${values.delta} characters a delta, median of ${values.rounds} rounds (least–most)\n`)
  console.log('| | Yunliao | parsing and handing over everything |\n|---|---|---|')
  points.forEach((n, i) => console.log(`| script ms per delta at ${n} characters | ${spread(found.incremental.map((r) => r.at[i]), 2)} | ${spread(found.whole.map((r) => r.at[i]), 2)} |`))
  console.log(`| script ms of the whole answer | ${spread(found.incremental.map((r) => r.total), 0)} | ${spread(found.whole.map((r) => r.total), 0)} |`)
  console.log(`| longest delta, ms | ${spread(found.incremental.map((r) => r.largest), 1)} | ${spread(found.whole.map((r) => r.largest), 1)} |`)
  console.log(`| setData bytes per byte of the answer | ${spread(found.incremental.map((r) => r.ratio), 2)} | ${spread(found.whole.map((r) => r.ratio), 2)} |`)
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
}

module.exports = { measure }
