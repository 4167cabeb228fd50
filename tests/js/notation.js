'use strict';
/** Blocks and CommonMark HTML in one flat notation, so that they can be compared. */

const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s[^>]*)?)\/?>|([^<]+)/g;
const UNESCAPE = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' };
const plain = (text) => text.replace(/&(lt|gt|amp|quot);/g, (found) => UNESCAPE[found]);

/** Runs joined when their marks agree; spaces around line breaks do not matter. */
function join(runs) {
  const out = [];
  runs.forEach(([text, marks]) => {
    if (!text) return;
    const last = out[out.length - 1];
    if (last && last[1] === marks) last[0] += text;
    else out.push([text, marks]);
  });
  out.forEach((run) => {
    run[0] = run[0].replace(/[ \t]*\n[ \t]*/g, '\n');
  });
  if (out.length) out[0][0] = out[0][0].replace(/^\n+/, '');
  if (out.length) out[out.length - 1][0] = out[out.length - 1][0].replace(/\n+$/, '');
  return out.filter((run) => run[0] !== '');
}

const decode = (url) => {
  try {
    return decodeURIComponent(url);
  } catch (error) {
    return url;
  }
};

/** @param {string} html @returns {Array<object>} */
function notationOfHtml(html) {
  const out = [];
  const lists = [];
  const marks = { b: 0, i: 0, c: 0 };
  let url = '';
  let quotes = 0;
  let depth = 0;
  let block = null;
  let pre = false;
  let item = false;
  const close = () => {
    if (!block) return;
    if (block.r) block.r = join(block.r);
    if (block.k !== 'p' || block.r.length) out.push(block);
    block = null;
  };
  const open = (kind, more) => {
    close();
    block = Object.assign({ k: kind, q: quotes, d: depth, r: [] }, more);
    if (kind === 'p' && item) {
      block.k = 'li';
      block.m = item;
      item = false;
    }
  };
  const emptyItem = () => {
    if (item) {
      close();
      out.push({ k: 'li', q: quotes, d: depth, r: [], m: item });
      item = false;
    }
  };
  const text = (words) => {
    if (!block) {
      if (!words.trim()) return;
      open('p');
    }
    if (pre) block.t += plain(words);
    else {
      const s = [marks.b && 'b', marks.i && 'i', marks.c && 'c', url && 'a'].filter(Boolean).join(' ');
      block.r.push([plain(words), s + (url ? ' ' + decode(plain(url)) : '')]);
    }
  };
  for (const [, end, tag, attributes, words] of html.matchAll(TAG)) {
    if (words !== undefined) text(words);
    else if (tag === 'p') (end ? close : () => open('p'))();
    else if (/^h[1-6]$/.test(tag)) {
      if (!end) emptyItem();
      (end ? close : () => open('h', { n: Number(tag[1]) }))();
    } else if (tag === 'hr') {
      emptyItem();
      close();
      out.push({ k: 'hr', q: quotes, d: depth });
    } else if (tag === 'pre') {
      if (!end) {
        emptyItem();
        open('code', { t: '', lang: '' });
        delete block.r;
      } else {
        block.t = block.t.replace(/\n$/, '');
        close();
      }
      pre = !end;
    } else if (tag === 'code') {
      if (pre) {
        const found = /class="language-([^"]*)"/.exec(attributes);
        if (found) block.lang = plain(found[1]);
      } else marks.c += end ? -1 : 1;
    } else if (tag === 'blockquote') {
      if (!end) emptyItem();
      close();
      quotes += end ? -1 : 1;
    } else if (tag === 'ul' || tag === 'ol') {
      if (!end) emptyItem();
      close();
      if (end) lists.pop();
      else lists.push({ ordered: tag === 'ol', next: Number((/start="(\d+)"/.exec(attributes) || [0, 1])[1]) });
      depth += end ? -1 : 1;
    } else if (tag === 'li') {
      emptyItem();
      close();
      const list = lists[lists.length - 1];
      if (!end) {
        item = list.ordered ? String(list.next) : '•';
        list.next += 1;
      }
    } else if (tag === 'strong') marks.b += end ? -1 : 1;
    else if (tag === 'em') marks.i += end ? -1 : 1;
    else if (tag === 'a') url = end ? '' : (/href="([^"]*)"/.exec(attributes) || [0, ''])[1];
    else if (tag === 'img') {
      const alt = plain((/alt="([^"]*)"/.exec(attributes) || [0, ''])[1]);
      const src = plain((/src="([^"]*)"/.exec(attributes) || [0, ''])[1]);
      const s = [marks.b && 'b', marks.i && 'i', marks.c && 'c', 'a'].filter(Boolean).join(' ');
      if (!block) open('p');
      block.r.push([alt || decode(src), s + ' ' + decode(src)]);
    } else if (tag !== 'br') text(`<${end}${tag}${attributes}>`);
  }
  close();
  return out;
}

/** @param {ReadonlyArray<any>} blocks @param {(block: any) => string} codeOf @returns {Array<object>} */
function notationOfBlocks(blocks, codeOf) {
  return blocks.map((block) => {
    const one = { k: block.k, q: block.q || 0, d: block.d || 0 };
    if (block.k === 'code') return Object.assign(one, { t: codeOf(block), lang: block.lang });
    if (block.k === 'hr') return one;
    const runs = (block.r || []).map((run) => [run.t, (run.s || '').replace('g', 'a') + (run.u ? ' ' + decode(run.u) : '')]);
    Object.assign(one, { r: join(runs) });
    if (block.k === 'h') one.n = block.n;
    if (block.k === 'li') one.m = block.m.replace(/[.)]$/, '');
    return one;
  }).filter((one) => one.k !== 'p' || one.r.length);
}

module.exports = { notationOfHtml, notationOfBlocks };
