module.exports = { idle: 'idle' }
