'use strict';
/** What a page does with patches: `setData` on a copy of its own, by path. */

class PageModel {
  constructor(data) {
    this.data = JSON.parse(JSON.stringify(data));
    this.bytes = 0;
    this.calls = 0;
  }

  setData(patch) {
    const json = JSON.stringify(patch);
    if (/undefined/.test(Object.values(patch).map(String).join())) throw new Error('undefined in a patch');
    this.bytes += Buffer.byteLength(json);
    this.calls += 1;
    const values = JSON.parse(json);
    Object.keys(values).forEach((path) => {
      const names = path.match(/[^.[\]]+/g);
      let at = this.data;
      names.slice(0, -1).forEach((name, index) => {
        if (at[name] === undefined || at[name] === null) throw new Error(`path ${path} has no ${names.slice(0, index + 1).join('.')}`);
        at = at[name];
      });
      at[names[names.length - 1]] = values[path];
    });
  }
}

/** Blocks without what draws nothing, to compare a page with a parse. */
function drawn(blocks) {
  const clean = (value) => {
    if (Array.isArray(value)) return value.map(clean);
    if (value && typeof value === 'object') {
      const out = {};
      Object.keys(value).sort().forEach((name) => {
        if (value[name] === false && name === 'open') return;
        out[name] = name === 'r' ? clean(value[name]).filter((run) => run.t !== '') : clean(value[name]);
      });
      return out;
    }
    return value;
  };
  return clean(blocks).filter((block) => block.k !== 'none');
}

module.exports = { PageModel, drawn };
