/** Preferences of the person, kept on the phone. */

const { Store } = require('./store');
const { oneOf, string } = require('../core/shape');

/**
 * @typedef {{ model: string, textSize: 'small'|'normal'|'large'|'huge', theme: 'system'|'light'|'dark', dark: boolean,
 *   language: 'system'|'zh'|'en', lang: 'zh'|'en', reducedMotion: boolean }} SettingsState
 * @typedef {{ theme: string, language: string }} System what the phone says
 */

/** @extends {Store<SettingsState>} */
class Settings extends Store {
  /** @param {{ memory: import('./memory').Memory, system: System }} parts */
  constructor(parts) {
    const kept = parts.memory.settings();
    super(resolve({
      model: string(kept.model), textSize: oneOf(kept.textSize, ['small', 'normal', 'large', 'huge'], 'normal'),
      theme: oneOf(kept.theme, ['system', 'light', 'dark'], 'system'), dark: false,
      language: oneOf(kept.language, ['system', 'zh', 'en'], 'system'), lang: 'zh', reducedMotion: kept.reducedMotion === true
    }, parts.system));
    this.memory = parts.memory;
    this.system = parts.system;
  }

  /** @param {'model'|'textSize'|'theme'|'language'|'reducedMotion'} name @param {string | boolean} value */
  set(name, value) {
    this.apply(Object.assign({}, this.state, { [name]: value }));
    const { model, textSize, theme, language, reducedMotion } = this.state;
    this.memory.keepSettings({ model, textSize, theme, language, reducedMotion });
  }

  /** The phone changed. @param {Partial<System>} system */
  follow(system) {
    this.system = Object.assign({}, this.system, system);
    this.apply(Object.assign({}, this.state));
  }

  /** @param {SettingsState} next */
  apply(next) {
    this.put(/** @type {Record<string, unknown>} */ (resolve(next, this.system)));
  }

  /** Forgets drafts; the choices stay. */
  clearCache() {
    this.memory.clear();
  }
}

/** @param {SettingsState} state @param {System} system @returns {SettingsState} */
function resolve(state, system) {
  state.dark = state.theme === 'dark' || (state.theme === 'system' && system.theme === 'dark');
  state.lang = state.language === 'system' ? (/^zh/i.test(system.language) || !system.language ? 'zh' : 'en') : state.language;
  return state;
}

module.exports = { Settings };
