'use strict'

const { until, ROOT } = require('./harness')
const path = require('node:path')

const WORDS = { zh: require(path.join(ROOT, 'miniprogram/i18n/zh')), en: require(path.join(ROOT, 'miniprogram/i18n/en')) }

/**
 * The mini-program as a person uses it: everything that depends on how its screens are built is in this file.
 * What is waited for is what a person sees; the state of the store is asked only where nothing on the screen says it.
 */
class App {
  constructor(phone, language = 'zh') {
    this.phone = phone
    this.t = WORDS[language]
  }

  get page() {
    return this.phone.page
  }

  get top() {
    return this.phone.top
  }

  /** Text on the screen that is on top, without what is hidden. */
  text() {
    return this.top.evaluate((node) => node.innerText)
  }

  /** Waits until `text` (or a match of a RegExp) is on the screen. */
  sees(text, limitMs = 30000) {
    const there = (all) => (text instanceof RegExp ? text.test(all) : all.includes(text))
    return until(async () => there(await this.text()), `the screen to say ${text}`, limitMs)
  }

  /** Waits until `text` is gone from the screen. */
  seesNot(text, limitMs = 30000) {
    return until(async () => !(await this.text()).includes(text), `the screen not to say ${text}`, limitMs)
  }

  /** State of the newest chat of the mini-program. */
  chat() {
    return this.page.evaluate(() => {
      const { chats } = window.__mp.app().yunliao
      return chats.length ? JSON.parse(JSON.stringify(chats[chats.length - 1].state)) : null
    })
  }

  /** Waits until the chat's state fulfils `check`. */
  when(check, what, limitMs = 40000) {
    return until(async () => {
      const chat = await this.chat()
      return chat && check(chat) ? chat : null
    }, what, limitMs)
  }

  idle() {
    return this.when((c) => !c.busy && !c.recent.some((m) => ['sending', 'waiting'].includes(m.state)), 'the answer to end')
  }

  get field() {
    return this.top.locator('wx-textarea textarea').last()
  }

  get sendButton() {
    return this.top.getByRole('button', { name: this.t.send, exact: true }).last()
  }

  get stopButton() {
    return this.top.getByRole('button', { name: this.t.stop, exact: true }).last()
  }

  /** The first place in the conversation that shows `text`: the question, when the answer repeats it. */
  message(text) {
    return this.top.locator('.mp-scroller').getByText(text).first()
  }

  async type(text) {
    await this.field.fill(text)
  }

  async send(text) {
    await this.type(text)
    await this.sendButton.click()
  }

  /** Sends, waits for the end, and gives the text of the answer as it is in the store. */
  async ask(text) {
    await this.send(text)
    await this.when((c) => c.recent.length > 0 && c.recent.some((m) => m.role === 'user' && m.text === text && m.state !== 'sending'), 'the question to be accepted')
    await this.idle()
    return this.answer()
  }

  /** Whole text of the newest answer. */
  answer() {
    return this.page.evaluate(() => {
      const { chats } = window.__mp.app().yunliao
      const chat = chats[chats.length - 1]
      const last = [...chat.state.recent].reverse().find((m) => m.role === 'assistant')
      return last ? chat.plainText(last.key) : ''
    })
  }

  /** The wx.showModal dialog: presses its confirming or its cancelling button. */
  async modal(confirm = true) {
    await this.page.locator(confirm ? '.mp-modal .mp-confirm' : '.mp-modal .mp-cancel').click()
  }

  /** Presses the entry of wx.showActionSheet that is called so, else the one whose words hold it. */
  async choose(entry) {
    const sheet = this.page.locator('.mp-sheet')
    await sheet.waitFor()
    const same = sheet.getByRole('button', { name: entry, exact: true })
    await ((await same.count()) ? same : sheet.locator('button', { hasText: entry })).click()
  }

  /** Presses an entry of the menu that is open, whether WeChat's action sheet or one of the mini-program's own. */
  async menu(entry) {
    const sheet = this.page.locator('.mp-sheet button').filter({ hasText: entry })
    const own = this.top.getByText(entry).last()
    await until(async () => (await sheet.count()) > 0 || (await own.count()) > 0, `a menu with ${entry}`)
    await ((await sheet.count()) > 0 ? sheet.first() : own).click()
  }

  /** Presses what is named so, by its ARIA label or by its text. */
  async press(name, options = {}) {
    const label = this.top.getByLabel(name, { exact: !(name instanceof RegExp) })
    const target = (await label.count()) ? label.last() : this.top.getByText(name, { exact: !(name instanceof RegExp) }).last()
    await target.click(options)
  }
}

module.exports = { App }
