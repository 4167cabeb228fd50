/**
 * The header with which this function tells the container who is calling: signed, for one call, once, soon.
 *
 * The same is written in Python in the container (services/signed_calls.py); docs/identity.md has the form.
 */

const crypto = require('node:crypto');

const WORD = 'yunliao-caller/v1';

/**
 * @param {string} secret
 * @param {{ openid: string, appid: string, shared: boolean }} caller
 * @param {{ method: string, target: string, body?: string, now?: number, nonce?: string }} request
 */
function signed(secret, caller, request) {
  const claim = {
    openid: caller.openid, appid: caller.appid, shared: caller.shared,
    time: request.now || Date.now(), nonce: request.nonce || crypto.randomBytes(18).toString('base64url')
  };
  const encoded = Buffer.from(JSON.stringify(claim)).toString('base64url');
  const hash = crypto.createHash('sha256').update(request.body || '').digest('hex');
  const text = [WORD, request.method, request.target, encoded, hash].join('\n');
  return `v1.${encoded}.${crypto.createHmac('sha256', secret).update(text).digest('hex')}`;
}

module.exports = { signed };
