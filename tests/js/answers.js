'use strict';
/** Answers for the tests: deterministic, of any length, with every construct an answer really has. */

/** A small repeatable generator (mulberry32). @param {number} seed */
function randomOf(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ZH = '云聊把每一个回答拆成小块，边收到边显示，已经完成的部分不再改变。这样做的好处是**手机不会变慢**，文字也不会跳动。如果网络断开，'
  + '程序会从`游标`的位置继续，不会丢字，也不会重复。需要注意的是，*任何一次重连*都可能换到另一个实例。';
const EN = 'A streamed answer should never make the screen slower as it grows. **Finished blocks are frozen**, only the tail is parsed again, '
  + 'and one data path changes per frame. See [the notes](https://example.com/notes "n") or call `resume(turn, after)` when the link is *gone*. ';
const CODE = '```js\n// keeps the newest value\nfunction latest(source, wait) {\n  let timer = null;\n  return (value) => {\n    clearTimeout(timer);\n'
  + '    timer = setTimeout(() => source.push(value), wait);\n  };\n}\n```\n';
const TABLE = '| 方案 | 字节 | 备注 |\n|:-----|-----:|:----:|\n| 全部重发 | 6,600,000 | 太慢 |\n| 只发变化 | 58,000 | `推荐` |\n| A third one | 12 | *maybe* |\n';
const LIST = '1. 第一步：先把项目导入开发者工具\n2. 第二步：上传 `container` 目录\n   - 选择环境\n   - 等待部署完成，大约 **两分钟**\n3. Third: open the phone\n\n- [x] done\n- [ ] not yet\n';

/** @param {number} size characters @param {number} [seed] @returns {string} Chinese with some English, code, lists, tables */
function mixedAnswer(size, seed) {
  const random = randomOf(seed || 7);
  const parts = [ZH + '\n', EN + '\n', CODE, TABLE, LIST, '> ' + ZH.slice(0, 60) + '\n> 第二行\n', '## 小结 ' + EN.slice(0, 30) + '\n', '---\n', ZH + EN + '\n'];
  let text = '';
  while (text.length < size) text += parts[Math.floor(random() * parts.length)] + '\n';
  return text.slice(0, size);
}

/** @param {number} size @returns {string} prose in English only, the dearest case in bytes per character */
function englishAnswer(size) {
  let text = '';
  for (let n = 1; text.length < size; n += 1) text += `### Part ${n}\n\n${EN}${EN}\n\n- one thing\n- another **thing**\n\n`;
  return text.slice(0, size);
}

/** @param {string} text @param {() => number} random @param {number} least @param {number} most @returns {string[]} */
function cut(text, random, least, most) {
  const points = Array.from(text);
  const out = [];
  for (let at = 0; at < points.length;) {
    const size = least + Math.floor(random() * (most - least + 1));
    out.push(points.slice(at, at + size).join(''));
    at += size;
  }
  return out;
}

module.exports = { randomOf, mixedAnswer, englishAnswer, cut };
