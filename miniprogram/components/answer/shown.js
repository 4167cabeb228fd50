/** The answers that exist on the screen, by key: the page tells those far away to rest. @type {Map<string, any>} */
const shown = new Map();

module.exports = { shown };
