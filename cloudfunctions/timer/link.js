/**
 * One JSON call to the container, with a limit on every wait and on the answer's size.
 *
 * Each function is deployed alone, so this file stands in each of their folders; a test compares them.
 */

const http = require('node:http');
const https = require('node:https');

/** Bytes of an answer: the platform's own limit for a function's result is 1 MB (platform.md §10). */
const LARGEST = 1024 * 1024;

class LinkFailed extends Error {
  /** `kind`: unreachable, timeout, garbled; nothing of an address or a body is in the text. */
  constructor(kind) {
    super(`the container: ${kind}`);
    this.kind = kind;
  }
}

/**
 * @param {string} base address of the service @param {string} method @param {string} target path with its query
 * @param {{ body?: string, headers?: Record<string, string>, timeout: number }} options `timeout` in ms for the whole call
 * @returns {Promise<{ status: number, data: any }>} throws LinkFailed
 */
function call(base, method, target, options) {
  return new Promise((resolve, reject) => {
    let address;
    try {
      address = new URL(base.replace(/\/+$/, '') + target);
    } catch (error) {
      reject(new LinkFailed('unreachable'));
      return;
    }
    const headers = Object.assign({ Accept: 'application/json' }, options.headers);
    if (options.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      headers['Content-Length'] = String(Buffer.byteLength(options.body));
    }
    const request = (address.protocol === 'https:' ? https : http).request(address, { method, headers });
    const limit = setTimeout(() => {
      reject(new LinkFailed('timeout'));
      request.destroy();
    }, options.timeout);
    const end = (settle, value) => {
      clearTimeout(limit);
      settle(value);
    };
    request.on('error', () => end(reject, new LinkFailed('unreachable')));
    request.on('response', (response) => {
      const parts = [];
      let size = 0;
      response.on('data', (part) => {
        size += part.length;
        if (size > LARGEST) {
          end(reject, new LinkFailed('garbled'));
          request.destroy();
        } else parts.push(part);
      });
      response.on('error', () => end(reject, new LinkFailed('unreachable')));
      response.on('aborted', () => end(reject, new LinkFailed('unreachable')));
      response.on('end', () => {
        try {
          end(resolve, { status: response.statusCode, data: JSON.parse(Buffer.concat(parts).toString('utf8')) });
        } catch (error) {
          end(reject, new LinkFailed('garbled'));
        }
      });
    });
    request.end(options.body);
  });
}

module.exports = { call, LinkFailed };
