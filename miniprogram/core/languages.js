/** What the highlighter knows of each language: comment signs, quotes, keywords, types. Small on purpose. */

/**
 * @typedef {{ line: string[], block: [string, string] | null, quotes: string, long: string[], words: Set<string>, types: Set<string>,
 *   kind: string }} Language
 */

/** @param {string} text @returns {Set<string>} */
const set = (text) => new Set(text.split(' '));

const C_WORDS = 'if else for while do switch case default break continue return goto sizeof static const struct union enum typedef extern inline '
  + 'volatile register namespace using class public private protected virtual override template typename new delete this try catch throw '
  + 'operator friend auto true false nullptr NULL constexpr noexcept';
const JS_WORDS = 'await async break case catch class const continue debugger default delete do else export extends finally for from function if '
  + 'import in instanceof let new of return static super switch this throw try typeof var void while with yield get set true false null '
  + 'undefined interface type enum implements private public protected readonly abstract as declare namespace keyof is satisfies';
const PY_WORDS = 'and as assert async await break class continue def del elif else except finally for from global if import in is lambda '
  + 'nonlocal not or pass raise return try while with yield match case True False None self';
const JAVA_WORDS = 'abstract assert break case catch class const continue default do else enum extends final finally for if implements import '
  + 'instanceof interface native new package private protected public return static strictfp super switch synchronized this throw throws '
  + 'transient try var void volatile while true false null record sealed permits yield val fun when object companion data';
const GO_WORDS = 'break case chan const continue default defer else fallthrough for func go goto if import interface map package range return '
  + 'select struct switch type var true false nil iota make len cap append';
const RUST_WORDS = 'as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref '
  + 'return self Self static struct super trait true type unsafe use where while';
const SH_WORDS = 'if then else elif fi case esac for while until do done in function select return break continue export local readonly '
  + 'declare unset set source alias exit echo cd sudo';
const SQL_WORDS = 'select from where insert into values update set delete create table alter drop index view join left right inner outer full on '
  + 'as and or not null is in like between order by group having limit offset union all distinct case when then else end primary key '
  + 'foreign references default unique exists with begin commit rollback returning cast asc desc';
const C_TYPES = 'int long short char float double void unsigned signed bool size_t string vector map uint8_t uint32_t int64_t std byte boolean String '
  + 'Integer List Map Set Object error rune int64 float64 i32 i64 u8 u32 u64 usize f64 str Vec Option Result Box number any never unknown Promise Array';

/** @param {Partial<Language>} over @returns {Language} */
const language = (over) => Object.assign(
  { line: ['//'], block: /** @type {[string, string]} */ (['/*', '*/']), quotes: '"\'', long: [], words: set(C_WORDS), types: set(C_TYPES), kind: 'code' },
  over
);

/** @type {Record<string, Language>} */
const LANGUAGES = {
  js: language({ quotes: '"\'', long: ['`'], words: set(JS_WORDS) }),
  python: language({ line: ['#'], block: null, long: ['"""', "'''"], words: set(PY_WORDS), types: set('int str float bool list dict set tuple bytes object Exception') }),
  java: language({ words: set(JAVA_WORDS) }),
  c: language({}),
  go: language({ long: ['`'], words: set(GO_WORDS) }),
  rust: language({ quotes: '"', words: set(RUST_WORDS) }),
  bash: language({ line: ['#'], block: null, words: set(SH_WORDS), types: new Set(), kind: 'shell' }),
  json: language({ line: [], block: null, quotes: '"', words: set('true false null'), types: new Set(), kind: 'data' }),
  yaml: language({ line: ['#'], block: null, words: set('true false null yes no'), types: new Set(), kind: 'data' }),
  sql: language({ line: ['--'], quotes: "'\"", words: set(SQL_WORDS), types: set('int integer text varchar boolean timestamp date numeric'), kind: 'sql' }),
  css: language({ line: [], words: set('important media import keyframes supports from to'), types: new Set(), kind: 'data' }),
  html: language({ line: [], block: ['<!--', '-->'], words: new Set(), types: new Set(), kind: 'markup' }),
  text: language({ line: [], block: null, quotes: '', words: new Set(), types: new Set(), kind: 'text' }),
  generic: language({ line: ['//', '#'], words: set(C_WORDS + ' ' + JS_WORDS + ' ' + PY_WORDS), kind: 'code' })
};

/** @type {Record<string, string>} */
const ALIASES = {
  javascript: 'js', jsx: 'js', ts: 'js', tsx: 'js', typescript: 'js', mjs: 'js', node: 'js', wxs: 'js', py: 'python', python3: 'python',
  kotlin: 'java', kt: 'java', scala: 'java', cs: 'java', csharp: 'java', dart: 'java', swift: 'java', cpp: 'c', 'c++': 'c', cc: 'c', h: 'c',
  hpp: 'c', objc: 'c', php: 'generic', ruby: 'python', rb: 'python', golang: 'go', rs: 'rust', sh: 'bash', shell: 'bash', zsh: 'bash',
  console: 'bash', dockerfile: 'bash', makefile: 'bash', toml: 'yaml', ini: 'yaml', yml: 'yaml', json5: 'json', jsonc: 'json', mysql: 'sql',
  postgresql: 'sql', sqlite: 'sql', scss: 'css', less: 'css', wxss: 'css', xml: 'html', vue: 'html', svg: 'html', wxml: 'html', plaintext: 'text',
  txt: 'text', md: 'text', markdown: 'text', '': 'text'
};

/** @param {string} name as written after the fence @returns {Language} */
function languageOf(name) {
  const key = name.toLowerCase();
  const known = Object.prototype.hasOwnProperty.call(ALIASES, key) ? ALIASES[key] : key;
  return Object.prototype.hasOwnProperty.call(LANGUAGES, known) ? LANGUAGES[known] : LANGUAGES.generic;
}

module.exports = { languageOf };
