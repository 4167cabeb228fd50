#!/usr/bin/env node
'use strict'

/*
 * Pictures of the mini-program in its main states, in both themes.
 *
 *   node tools/preview/screenshots.js --url http://127.0.0.1:8787 --out shots
 *   node tools/preview/screenshots.js --url ... --out shots --route pages/settings/settings --theme dark     one page
 *   node tools/preview/screenshots.js --url ... --out shots --script my_states.js      own states
 *
 * A script exports `[{name, route?, user?: (theme) => name, run?: async (page, phone) => {}}]`; `phone` is the Phone of tools/preview/phone.js.
 */

const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { launchBrowser } = require('./browser')
const { openPhone } = require('./phone')

async function shoot({ url, out, states, themes, desk, user, scale }) {
  fs.mkdirSync(out, { recursive: true })
  const browser = await launchBrowser()
  const written = []
  let failed = 0
  try {
    for (const theme of themes) {
      for (const state of states) {
        const context = await browser.newContext({
          viewport: desk ? { width: 1100, height: 980 } : { width: 390, height: 844 }, deviceScaleFactor: scale, timezoneId: 'Asia/Shanghai',
        })
        const params = { theme, user: state.user ? state.user(theme) : user, ...(state.route ? { route: state.route } : {}), ...(state.params || {}), ...(desk ? {} : { panel: '0' }) }
        const file = path.join(out, `${state.name}-${theme}.png`)
        try {
          const phone = await openPhone(context, url, params)
          if (state.run) await state.run(phone.page, phone)
          await phone.settle()
          await phone.page.screenshot({ path: file })
          written.push(file)
          console.log(file)
          for (const error of await phone.errors()) console.log(`${file}: ${error}`)
        } catch (error) {
          failed += 1
          console.log(`${file}: ${error.message.split('\n')[0]}`)
        }
        await context.close()
      }
    }
  } finally {
    await browser.close()
  }
  return { written, failed }
}

async function main() {
  const { values } = parseArgs({ options: {
    url: { type: 'string', default: 'http://127.0.0.1:8787' }, out: { type: 'string', default: 'screenshots' }, route: { type: 'string' },
    theme: { type: 'string' }, script: { type: 'string' }, only: { type: 'string' }, desk: { type: 'boolean', default: false },
    user: { type: 'string', default: 'demo' }, scale: { type: 'string', default: '2' },
  } })
  let states
  if (values.route) states = [{ name: values.route.replace(/[^\w]+/g, '-'), route: values.route }]
  else states = require(values.script ? path.resolve(values.script) : './states')
  if (values.only) states = states.filter((s) => values.only.split(',').includes(s.name))
  const themes = values.theme ? values.theme.split(',') : ['light', 'dark']
  const { written, failed } = await shoot({ ...values, states, themes, scale: Number(values.scale) })
  console.error(`${written.length} pictures${failed ? `, ${failed} failed` : ''}`)
  process.exitCode = failed ? 1 : 0
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}

module.exports = { shoot }
