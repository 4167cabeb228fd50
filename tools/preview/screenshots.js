#!/usr/bin/env node
'use strict'

/*
 * Pictures of the mini-program and of the operators' console in their main states, in both themes.
 *
 *   node tools/preview/screenshots.js --url http://127.0.0.1:8787 --out shots
 *   node tools/preview/screenshots.js --url ... --out shots --route pages/settings/settings --theme dark     one page
 *   node tools/preview/screenshots.js --url ... --out shots --script my_states.js      own states
 *   … --operator PASSWORD      also the console, as the operator alice with that password
 *
 * A script exports `[{name, route?, user?: (theme) => name, run?: async (page, phone) => {}}]`; `phone` is the Phone of tools/preview/phone.js.
 */

const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { launchBrowser } = require('./browser')
const { openPhone } = require('./phone')
const desk = require('./console_states')

/** A state of the console as a picture. */
async function shootConsole(browser, { url, out, scale, operator }, state, theme) {
  const context = await browser.newContext({ viewport: state.viewport, deviceScaleFactor: scale, timezoneId: 'Asia/Shanghai', colorScheme: theme })
  const file = path.join(out, `${state.name}-${theme}.png`)
  try {
    const page = await context.newPage()
    await desk.open(page, url, state, operator)
    await page.screenshot({ path: file, fullPage: !state.name.endsWith('suspend') })
  } finally {
    await context.close()
  }
  return file
}

async function shoot({ url, out, states, consoles = [], themes, framed, user, scale, operator }) {
  fs.mkdirSync(out, { recursive: true })
  const browser = await launchBrowser()
  const written = []
  let failed = 0
  try {
    for (const theme of themes) {
      for (const state of states) {
        const context = await browser.newContext({
          viewport: framed ? { width: 1100, height: 980 } : { width: 390, height: 844 }, deviceScaleFactor: scale, timezoneId: 'Asia/Shanghai',
        })
        const params = { theme, user: state.user ? state.user(theme) : user, ...(state.route ? { route: state.route } : {}), ...(state.params || {}), ...(framed ? {} : { panel: '0' }) }
        const file = path.join(out, `${state.name}-${theme}.png`)
        try {
          const phone = await openPhone(context, url, params)
          if (state.run) await state.run(phone.page, phone, operator)
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
      for (const state of consoles) {
        try {
          written.push(await shootConsole(browser, { url, out, scale, operator }, state, theme))
          console.log(written[written.length - 1])
        } catch (error) {
          failed += 1
          console.log(`${state.name}: ${error.message.split('\n')[0]}`)
        }
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
    user: { type: 'string', default: 'demo' }, operator: { type: 'string' }, scale: { type: 'string', default: '2' },
  } })
  let states
  if (values.route) states = [{ name: values.route.replace(/[^\w]+/g, '-'), route: values.route }]
  else states = require(values.script ? path.resolve(values.script) : './states')
  if (!values.operator) states = states.filter((s) => !s.operator)
  let consoles = values.operator && !values.route ? desk.states : []
  if (values.only) [states, consoles] = [states, consoles].map((all) => all.filter((s) => values.only.split(',').includes(s.name)))
  const themes = values.theme ? values.theme.split(',') : ['light', 'dark']
  const { written, failed } = await shoot({ ...values, framed: values.desk, states, consoles, themes, scale: Number(values.scale) })
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
