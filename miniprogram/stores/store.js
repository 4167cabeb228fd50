/** State that pages show, changed only by patches: data path -> value, ready for `setData`. */

/**
 * @typedef {Record<string, unknown>} Patch
 * @typedef {(patch: Patch) => void} Listener
 */

/** @template {object} S */
class Store {
  /** @param {S} state */
  constructor(state) {
    this.state = state;
    /** @type {Array<{ listener: Listener, prefix: string }>} */ this.listeners = [];
  }

  /** @param {Listener} listener @param {string} [prefix] put before every path @returns {() => void} ends it */
  subscribe(listener, prefix) {
    const entry = { listener, prefix: prefix ? prefix + '.' : '' };
    this.listeners.push(entry);
    return () => {
      this.listeners = this.listeners.filter((one) => one !== entry);
    };
  }

  /** Applies what really changes and tells the listeners. @param {Patch} patch */
  put(patch) {
    /** @type {Patch} */ const changed = {};
    let any = false;
    Object.keys(patch).forEach((path) => {
      const value = patch[path] === undefined ? null : patch[path];
      if (!write(this.state, path, value)) return;
      changed[path] = value;
      any = true;
    });
    if (!any) return;
    this.listeners.slice().forEach((one) => one.listener(one.prefix ? prefixed(changed, one.prefix) : Object.assign({}, changed)));
  }
}

/** @param {Patch} patch @param {string} prefix @returns {Patch} */
function prefixed(patch, prefix) {
  /** @type {Patch} */ const out = {};
  Object.keys(patch).forEach((path) => {
    out[prefix + path] = patch[path];
  });
  return out;
}

/**
 * Writes `value` at `path` (`a.b[3].c`). @param {object} root @param {string} path @param {unknown} value @returns {boolean} false if it was so already
 */
function write(root, path, value) {
  const names = path.match(/[^.[\]]+/g) || [];
  /** @type {any} */ let at = root;
  for (let index = 0; index < names.length - 1; index += 1) {
    const name = names[index];
    if (at[name] === null || typeof at[name] !== 'object') at[name] = /^\d+$/.test(names[index + 1]) ? [] : {};
    at = at[name];
  }
  const last = names[names.length - 1];
  if (at[last] === value && (value === null || typeof value !== 'object')) return false;
  at[last] = value;
  return true;
}

module.exports = { Store, write };
