/**
 * The one file that a person may take along: written in parts, handed over by WeChat, and gone as soon as it is no longer looked at,
 * because people's words do not stay on the phone.
 */

/**
 * @typedef {{ writeFile(o: any): void, appendFile(o: any): void, unlink(o: any): void, readdir(o: any): void }} FileSystem
 * @typedef {{ env?: { USER_DATA_PATH: string }, getFileSystemManager?: () => FileSystem, shareFileMessage?: (o: any) => any,
 *   saveFileToDisk?: (o: any) => any, getDeviceInfo?: () => { platform?: string } }} WxFiles
 */

const FOLDER_NAME = /^yunliao-export[\w.-]*$/;

class Files {
  /** @param {WxFiles} wx */
  constructor(wx) {
    this.wx = wx;
    this.name = '';
  }

  /** @returns {string} */
  get path() {
    return `${this.wx.env ? this.wx.env.USER_DATA_PATH : ''}/${this.name}`;
  }

  /** The phone can keep a file and hand it over. @returns {boolean} */
  get able() {
    return Boolean(this.wx.getFileSystemManager && this.wx.env && (this.wx.shareFileMessage || this.wx.saveFileToDisk));
  }

  /** Only the desktop clients of WeChat can save to a disk. @returns {boolean} */
  get onDesk() {
    const platform = this.wx.getDeviceInfo ? this.wx.getDeviceInfo().platform : '';
    return Boolean(this.wx.saveFileToDisk) && (platform === 'windows' || platform === 'mac');
  }

  /** Begins anew. @param {string} name @param {string} text @returns {Promise<void>} */
  async write(name, text) {
    await this.drop();
    this.name = name;
    await this.ask('writeFile', { filePath: this.path, data: text, encoding: 'utf8' });
  }

  /** @param {string} text @returns {Promise<void>} */
  append(text) {
    return this.ask('appendFile', { filePath: this.path, data: text, encoding: 'utf8' });
  }

  /** To a chat of the person's choice; must be called from a touch. @returns {Promise<boolean>} false when it was not sent */
  share() {
    return this.hand('shareFileMessage', { filePath: this.path, fileName: this.name });
  }

  /** @returns {Promise<boolean>} */
  save() {
    return this.hand('saveFileToDisk', { filePath: this.path });
  }

  /** @param {'shareFileMessage'|'saveFileToDisk'} name @param {object} options @returns {Promise<boolean>} */
  hand(name, options) {
    return new Promise((resolve) => {
      const call = this.wx[name];
      if (!this.name || !call) resolve(false);
      else call.call(this.wx, Object.assign({ success: () => resolve(true), fail: () => resolve(false) }, options));
    });
  }

  /** The file leaves the phone. @returns {Promise<void>} */
  async drop() {
    if (!this.name) return;
    const { path } = this;
    this.name = '';
    await this.ask('unlink', { filePath: path }).catch(() => {});
  }

  /** What an earlier run of the program could not take away any more. @returns {Promise<void>} */
  async sweep() {
    if (!this.able) return;
    const folder = this.wx.env ? this.wx.env.USER_DATA_PATH : '';
    /** @type {string[]} */ const names = await this.ask('readdir', { dirPath: folder }).then((/** @type {any} */ found) => found.files, () => []);
    await Promise.all(names.filter((name) => FOLDER_NAME.test(name) && name !== this.name).map((name) => this.ask('unlink', { filePath: `${folder}/${name}` }).catch(() => {})));
  }

  /** @param {keyof FileSystem} name @param {object} options @returns {Promise<any>} */
  ask(name, options) {
    return new Promise((resolve, reject) => {
      if (!this.wx.getFileSystemManager) reject(new Error('no files here'));
      else this.wx.getFileSystemManager()[name](Object.assign({ success: resolve, fail: reject }, options));
    });
  }
}

module.exports = { Files };
