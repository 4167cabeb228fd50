/** Bytes to text, cut anywhere. Devices have no TextDecoder; this one does what the WHATWG decoder does, invalid bytes included. */

class Utf8Decoder {
  constructor() {
    this.need = 0;
    this.point = 0;
    this.lower = 0x80;
    this.upper = 0xbf;
    this.started = false;
  }

  /** @param {Uint8Array} bytes @returns {string} the characters that are complete */
  decode(bytes) {
    /** @type {number[]} */ const out = [];
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (this.need === 0) this.lead(byte, out);
      else if (byte < this.lower || byte > this.upper) {
        this.need = 0;
        this.bounds(0x80, 0xbf);
        out.push(0xfffd);
        at -= 1;
      } else {
        this.bounds(0x80, 0xbf);
        this.point = this.point * 64 + (byte & 0x3f);
        this.need -= 1;
        if (this.need === 0) out.push(this.point);
      }
    }
    return this.text(out);
  }

  /** The end: what is incomplete becomes one U+FFFD. @returns {string} */
  finish() {
    const cut = this.need > 0;
    this.need = 0;
    this.bounds(0x80, 0xbf);
    return cut ? '\ufffd' : '';
  }

  /** @param {number} byte @param {number[]} out */
  lead(byte, out) {
    if (byte < 0x80) out.push(byte);
    else if (byte >= 0xc2 && byte <= 0xdf) this.start(1, byte & 0x1f);
    else if (byte >= 0xe0 && byte <= 0xef) {
      if (byte === 0xe0) this.bounds(0xa0, 0xbf);
      if (byte === 0xed) this.bounds(0x80, 0x9f);
      this.start(2, byte & 0x0f);
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      if (byte === 0xf0) this.bounds(0x90, 0xbf);
      if (byte === 0xf4) this.bounds(0x80, 0x8f);
      this.start(3, byte & 0x07);
    } else out.push(0xfffd);
  }

  /** @param {number} need @param {number} point */
  start(need, point) {
    this.need = need;
    this.point = point;
  }

  /** @param {number} lower @param {number} upper */
  bounds(lower, upper) {
    this.lower = lower;
    this.upper = upper;
  }

  /** @param {number[]} points @returns {string} */
  text(points) {
    let out = '';
    for (let at = 0; at < points.length; at += 4096) {
      const part = points.slice(at, at + 4096);
      if (!this.started && part[0] === 0xfeff) part.shift();
      this.started = true;
      out += String.fromCodePoint.apply(null, part);
    }
    return out;
  }
}

module.exports = { Utf8Decoder };
