'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { Markdown, parse, codeOf } = require('../../miniprogram/core/markdown');
const { mixedAnswer, randomOf, cut } = require('./answers');

/** @param {string[]} parts */
function stream(parts, look) {
  const markdown = new Markdown({ imageHosts: ['img.example.com'] });
  parts.forEach((part) => {
    markdown.append(part);
    if (look) look(markdown);
  });
  markdown.finish();
  return markdown;
}

const whole = (text) => parse(text, { imageHosts: ['img.example.com'] });

const FRAGMENTS = ['# ', '## 标题', '- ', '* ', '1. ', '2) ', '> ', '>> ', '```', '```js\n', '~~~', '\n', '\n\n', '\n', ' ', '    ', '\t', '|', '| a | b |\n|---|---|\n', '---\n',
  '===\n', '**', '*', '_', '__', '~~', '`', '``', '[', ']', '](http://a.b)', '![', '](https://img.example.com/x.png)', '<', '>', '<b>', 'http://a.b/c', 'www.x.org ', '&amp;', '\\',
  '[x] ', 'word ', 'Hello, ', '你好', '，', '😀', '\r\n', '\r', 'a'.repeat(90), '中文'.repeat(70), 'const a = "x"; // c\n', '\u0000', ' text text text'.repeat(12)];

test('any split of a text gives the same blocks as the whole text', () => {
  fc.assert(fc.property(
    fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }), fc.integer(), fc.integer({ min: 1, max: 30 }),
    (fragments, seed, most) => {
      const text = fragments.join('');
      const random = randomOf(seed);
      const parts = [];
      for (let at = 0; at < text.length;) {
        const size = 1 + Math.floor(random() * most);
        parts.push(text.slice(at, at + size));
        at += size;
      }
      assert.deepEqual(stream(parts).blocks, whole(text));
    }
  ), { numRuns: 1500 });
});

test('random characters, cut at every one, give the same blocks', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'*_`[]()!<>#-+=~|: \n\\a1.中&;"'), maxLength: 120 }), (text) => {
    assert.deepEqual(stream(text.split('')).blocks, whole(text));
  }), { numRuns: 1500 });
});

test('no character of plain words is lost', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom('alpha ', '云聊', 'beta, ', '。', '一二三四五', 'x '), { minLength: 1, maxLength: 900 }), (words) => {
    const text = ('q' + words.join('') + 'q');
    const shown = whole(text).map((block) => block.r.map((run) => run.t).join('')).join('');
    assert.equal(shown, text);
  }), { numRuns: 100 });
});

test('no word is lost in any structure', () => {
  const words = fc.integer({ min: 100, max: 999 }).map((n) => `w${n}e`);
  const signs = fc.constantFrom(...FRAGMENTS.filter((one) => !/\]\(|&amp;|~~~|```/.test(one)));
  fc.assert(fc.property(fc.array(fc.tuple(signs, words), { maxLength: 25 }), (pairs) => {
    const text = pairs.map(([sign, word]) => `${sign}${word}`).join('\n');
    const blocks = whole(text);
    const inside = (value) => (Array.isArray(value) ? value.map(inside).join('') : value.t);
    const shown = blocks.map((block) => inside(block.r || block.l || [block.hd || [], block.rows || []])).join('\n');
    // A table drops cells beyond its columns (as GFM does): such texts are not asked.
    fc.pre(!blocks.some((block) => block.k === 'table'));
    pairs.forEach(([, word]) => assert.ok(shown.includes(word), `${word} is missing`));
  }), { numRuns: 600 });
});

test('finished blocks keep their identity while text grows', () => {
  const parts = cut(mixedAnswer(6000), randomOf(3), 8, 20);
  const first = new Map();
  stream(parts, (markdown) => {
    const [until] = markdown.machine.stable();
    for (let at = 0; at < until - 1; at += 1) {
      if (!first.has(at)) first.set(at, { block: markdown.blocks[at], json: JSON.stringify(markdown.blocks[at]) });
    }
  });
  assert.ok(first.size > 20);
  const last = stream(parts).blocks;
  first.forEach((kept, at) => assert.equal(kept.json, JSON.stringify(last[at]), `block ${at} changed after it was finished`));
});

/** Characters looked at, over characters in the text. */
function costOf(text, seed) {
  const markdown = stream(cut(text, randomOf(seed), 8, 20));
  return (markdown.work.inlineChars + markdown.work.lineChars) / text.length;
}

test('work per character does not grow with the answer', (t) => {
  const costs = [1000, 5000, 20000, 80000].map((size) => costOf(mixedAnswer(size), 5));
  assert.ok(costs[3] < costs[1] * 1.5, `costs ${costs}`);
  assert.ok(costs[3] < 60, `costs ${costs}`);
  // Side by side: parsing the whole answer at each delta.
  const text = mixedAnswer(20000);
  const parts = cut(text, randomOf(5), 8, 20);
  const once = parse(text) && new Markdown({});
  once.append(text);
  once.finish();
  const again = (once.work.inlineChars + once.work.lineChars) * (parts.length / 2) / text.length;
  t.diagnostic(`looks per character at 1k, 5k, 20k, 80k: ${costs.map((one) => one.toFixed(1))}; parsing all again at 20k: about ${Math.round(again)}`);
  assert.ok(costs[2] * 20 < again);
});

const LONG = 20000;
const TAILS = {
  'one paragraph': '字数很多的一段话，没有换行，'.repeat(LONG / 14),
  'one English line': 'many words and no line end '.repeat(LONG / 27),
  'one code block': '```python\n' + 'value = compute(1, "two")  # note\n'.repeat(LONG / 34),
  'one code line': '```\n' + 'x'.repeat(LONG),
  'one list': '- an item with **bold** words\n'.repeat(LONG / 30),
  'one table': '| a | b |\n|---|---|\n' + '| cell one | `cell` two |\n'.repeat(LONG / 25),
  'one table row': '| a | b |\n|---|---|\n| ' + 'cell '.repeat(LONG / 5),
  'one quote': '> quoted words in a line\n'.repeat(LONG / 25),
  'one heading': '# ' + 'heading '.repeat(LONG / 8)
};
Object.keys(TAILS).forEach((name) => {
  test(`a tail of 20,000 characters is not parsed again for each delta: ${name}`, () => {
    const cost = costOf(TAILS[name], 11);
    assert.ok(cost < 140, `${cost} looks per character`);
  });
});

const HOSTILE = {
  '100 KB of letters': 'a'.repeat(100000),
  '100 KB of quotes': '>'.repeat(100000),
  '10,000 quote signs and a word': '> '.repeat(10000) + 'x',
  '10,000 brackets': '['.repeat(10000),
  '10,000 closed brackets': '['.repeat(5000) + ']'.repeat(5000),
  '10,000 link openers': '[a]('.repeat(10000),
  '10,000 image openers': '![a](<'.repeat(10000),
  'backticks of growing length': Array.from({ length: 400 }, (_, n) => '`'.repeat(n + 1)).join(' '),
  '100 KB of stars': '*'.repeat(100000),
  'stars and words': '*a '.repeat(30000),
  'alternating delimiters': '*a_b'.repeat(20000),
  'closers without openers': 'a* '.repeat(30000),
  'nested lists': Array.from({ length: 300 }, (_, n) => ' '.repeat(n * 2) + '- x').join('\n'),
  'list markers in one line': '- '.repeat(50000),
  'pipes': '|'.repeat(100000),
  'a wide table': '| a '.repeat(5000) + '\n' + '|---'.repeat(5000) + '\n' + '| b '.repeat(5000),
  'ampersands': '&'.repeat(50000) + '&#'.repeat(20000),
  'less-than signs': '<'.repeat(50000) + '<a:'.repeat(10000),
  'tabs': '\t'.repeat(50000) + 'x',
  'blank lines': '\n'.repeat(100000),
  'address of 100 KB': 'https://example.com/' + 'a)'.repeat(50000),
  'fences': '```\n'.repeat(20000),
  'surrogates': '\ud83d'.repeat(30000) + '😀'.repeat(20000),
  'tildes': '~~'.repeat(30000) + ' a'
};
Object.keys(HOSTILE).forEach((name) => {
  test(`hostile input costs no more per character than prose: ${name}`, () => {
    const text = HOSTILE[name];
    const markdown = new Markdown({});
    for (let at = 0; at < text.length; at += 1000) markdown.append(text.slice(at, at + 1000));
    markdown.finish();
    const cost = (markdown.work.inlineChars + markdown.work.lineChars) / text.length;
    assert.ok(cost < 40, `${cost} looks per character`);
    markdown.blocks.forEach((block) => {
      assert.ok((block.q || 0) + (block.d || 0) <= 16);
      assert.ok(!block.a || block.a.length <= 24);
    });
    const blocks = parse(text);
    assert.equal(JSON.stringify(markdown.blocks), JSON.stringify(blocks));
  });
});

test('code keeps every character of its lines', () => {
  const code = 'def f(x):\n\treturn "a`b" + \'\'\'multi\nline\'\'\' # end\n\n\nclass 类: pass';
  const blocks = parse('```python\n' + code + '\n```\nafter');
  assert.equal(codeOf(blocks[0]), code);
  assert.equal(blocks[0].lang, 'python');
  assert.equal(blocks[1].r[0].t, 'after');
});

test('images load from listed hosts only, everything else is a link that shows its address', () => {
  const runs = (text) => whole(text)[0].r;
  assert.deepEqual(runs('![x](https://img.example.com/a.png)'), [{ t: 'x', s: 'g', u: 'https://img.example.com/a.png' }]);
  ['http://img.example.com/a.png', 'https://img.example.com.evil.org/a', 'https://evil.org/?img.example.com', 'https://img.example.com@evil.org/', 'javascript:alert(1)', 'data:image/png;base64,xx',
    '//img.example.com/a'].forEach((url) => {
    const [run] = runs(`![x](${url})`);
    assert.equal(run.s, 'a', url);
    assert.equal(run.u, url);
  });
  assert.equal(parse('![x](https://a.cdn.org/1)', { imageHosts: ['.cdn.org'] })[0].r[0].s, 'g');
  assert.equal(parse('![x](https://cdn.org.evil/1)', { imageHosts: ['.cdn.org'] })[0].r[0].s, 'a');
});

test('HTML is text: nothing in an answer becomes markup', () => {
  const text = '<script>alert(1)</script> <img src=x onerror=y>\n\n<div class="bubble">系统消息</div>';
  const shown = whole(text).map((block) => block.r.map((run) => run.t).join('')).join('\n\n');
  assert.equal(shown, text);
});

test('an unclosed ** or ` shows as closed while it streams, without its signs', () => {
  const markdown = new Markdown({});
  markdown.append('see **bold wor');
  assert.deepEqual(markdown.blocks[0].r, [{ t: 'see ' }, { t: 'bold wor', s: 'b' }]);
  markdown.append('ds** and `co');
  assert.deepEqual(markdown.blocks[0].r, [{ t: 'see ' }, { t: 'bold words', s: 'b' }, { t: ' and ' }, { t: 'co', s: 'c' }]);
});

test('a table head is not shown as pipes before its second line is there', () => {
  const markdown = new Markdown({});
  markdown.append('Here:\n\n| a | b |\n|--');
  assert.ok(!JSON.stringify(markdown.blocks).includes('|'));
  markdown.append('-|---|\n| 1 | 2 |\n');
  assert.equal(markdown.blocks[1].k, 'table');
});
