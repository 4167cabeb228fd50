/** Rules for everything in JavaScript: the mini-program (ES2018, no browser globals) and its tests (Node). */

const rules = {
  'no-undef': 'error',
  'no-unused-vars': ['error', { caughtErrors: 'none', args: 'after-used' }],
  'no-var': 'error',
  'prefer-const': 'error',
  eqeqeq: 'error',
  'no-implicit-globals': 'error',
  'no-eval': 'error',
  'no-new-func': 'error',
  'no-constant-condition': ['error', { checkLoops: false }],
  'no-dupe-keys': 'error',
  'no-unreachable': 'error',
  'no-fallthrough': 'error',
  'no-shadow': 'error'
};

/** @param {string[]} names */
const readonly = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

module.exports = [
  { ignores: ['**/node_modules/**', '**/miniprogram_npm/**', '.venv*/**', 'dist/**', '**/*.generated.js'] },
  {
    files: ['miniprogram/**/*.js'],
    languageOptions: {
      ecmaVersion: 2018,
      sourceType: 'commonjs',
      globals: readonly([
        'wx', 'App', 'Page', 'Component', 'Behavior', 'getApp', 'getCurrentPages', 'console', 'setTimeout', 'clearTimeout', 'setInterval',
        'clearInterval', 'module', 'require'
      ])
    },
    rules: Object.assign({ 'max-lines': ['error', { max: 520, skipComments: true, skipBlankLines: true }] }, rules)
  },
  {
    files: ['container/yunliao/console/*.js'],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: 'module',
      globals: readonly([
        'window', 'document', 'location', 'localStorage', 'sessionStorage', 'fetch', 'AbortSignal', 'FormData', 'TextEncoder', 'Intl', 'NodeFilter', 'setTimeout', 'clearTimeout', 'console'
      ])
    },
    rules
  },
  {
    files: ['miniprogram/core/**/*.js'],
    rules: { 'no-restricted-globals': ['error', 'wx', 'App', 'Page', 'getApp', 'setTimeout', 'setInterval'] }
  },
  {
    files: ['tests/js/**/*.js', 'tests/functions/**/*.js', 'cloudfunctions/**/*.js'],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: 'commonjs',
      globals: readonly([
        'console', 'module', 'require', 'process', 'Buffer', 'TextDecoder', 'TextEncoder', '__dirname', 'setImmediate', 'setTimeout', 'clearTimeout', 'URL', 'fetch', 'exports'
      ])
    },
    rules
  }
];
