// The object `wx` of mini-program code. What is not here is reported by name in __mp.unshimmed.
import { log, recordWarning } from '../engine.js'
import { phone, sizes, bars, on, off, emit } from '../frame.js'
import { nextFrame } from '../frames.js'
import { showToast, hideToast, showModal, showActionSheet } from '../dialogs.js'
import { setTitle, setBarColor, setPageBackground } from '../pages.js'
import { keyboard } from '../keyboard.js'
import { stack } from '../stack.js'
import { wxCall } from './call.js'
import { cloud } from './cloud.js'
import { storage } from './storage.js'
import { navigators } from './navigate.js'
import { selectorQuery, intersectionObserver } from './query.js'
import { share } from './opentype.js'
import { fileMembers } from './files.js'

const SDK_VERSION = '3.8.12'
export const clipboard = { data: '' }
export const session = { launch: { path: '', query: {}, scene: 1001, referrerInfo: {}, apiCategory: 'default' } }

function deviceInfo() {
  return { abi: 'x86_64', brand: 'Preview', model: 'Preview', system: 'Preview 1.0', platform: 'devtools', benchmarkLevel: 50, memorySize: 4096, cpuType: '' }
}

function windowInfo() {
  const s = sizes()
  return {
    pixelRatio: devicePixelRatio, screenWidth: s.screenWidth, screenHeight: s.screenHeight, windowWidth: s.windowWidth,
    windowHeight: s.windowHeight, statusBarHeight: bars.status, screenTop: s.screenHeight - s.windowHeight,
    safeArea: { left: 0, right: s.screenWidth, top: bars.status, bottom: s.screenHeight - bars.bottom, width: s.screenWidth, height: s.screenHeight - bars.status - bars.bottom },
  }
}

function appBaseInfo() {
  return {
    SDKVersion: SDK_VERSION, enableDebug: false, language: phone.params.get('lang') || 'zh_CN', version: '8.0.50', theme: phone.theme,
    fontSizeSetting: phone.fontSize, fontSizeScaleFactor: phone.fontSize / 16, host: { env: 'WeChat', appId: '', version: 0 }, mode: 'default',
  }
}

const systemInfo = () => ({ ...deviceInfo(), ...windowInfo(), ...appBaseInfo(), errMsg: 'getSystemInfo:ok', albumAuthorized: false,
  bluetoothEnabled: false, locationEnabled: false, wifiEnabled: phone.online, deviceOrientation: 'portrait' })
const networkType = () => ({ networkType: phone.online ? 'wifi' : 'none', isConnected: phone.online, signalStrength: phone.online ? -40 : undefined })
const event = (name) => ({ [`on${name[0].toUpperCase()}${name.slice(1)}`]: (fn) => on(name, fn), [`off${name[0].toUpperCase()}${name.slice(1)}`]: (fn) => off(name, fn) })
const quiet = (name, result = {}) => ({ [name]: wxCall(name, async () => result) })

function scrollPage({ scrollTop, selector, offsetTop = 0, duration = 300 }) {
  const page = stack.top()
  if (!page) return
  let top = scrollTop
  if (selector) {
    const [target] = page.component.getShadowRoot().querySelectorAll(selector)
    if (!target) return
    top = target.getBackendElement().getBoundingClientRect().top - page.scroller.getBoundingClientRect().top + page.scroller.scrollTop + offsetTop
  }
  page.scroller.scrollTo({ top, behavior: duration > 0 && !document.documentElement.dataset.still ? 'smooth' : 'auto' })
}

function capsule() {
  const width = 87
  const height = 32
  const { screenWidth } = sizes()
  const top = bars.status + (bars.navigation - height) / 2
  return { width, height, top, bottom: top + height, right: screenWidth - 7, left: screenWidth - 7 - width }
}

function animation(options = {}) {
  const steps = []
  let values = {}
  const self = { export: () => ({ actions: steps.splice(0) }), step: (o) => {
    steps.push({ values, option: { ...options, ...o } })
    values = {}
    return self
  } }
  for (const name of ['opacity', 'backgroundColor', 'width', 'height', 'left', 'right', 'top', 'bottom', 'translate', 'translateX', 'translateY', 'scale', 'rotate']) {
    self[name] = (...args) => {
      values[name] = args
      return self
    }
  }
  return self
}

const bytesToBase64 = (buffer) => btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(''))
const base64ToBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer

const members = {
  cloud,
  ...storage,
  ...navigators,
  ...fileMembers,
  env: { USER_DATA_PATH: 'wxfile://usr' },

  showToast: wxCall('showToast', async (o) => showToast(o)),
  hideToast: wxCall('hideToast', async () => hideToast('toast')),
  showLoading: wxCall('showLoading', async (o) => showToast({ ...o, icon: 'loading' }, 'loading')),
  hideLoading: wxCall('hideLoading', async () => hideToast('loading')),
  showModal: wxCall('showModal', showModal),
  showActionSheet: wxCall('showActionSheet', showActionSheet),

  setClipboardData: wxCall('setClipboardData', async ({ data }) => {
    if (typeof data !== 'string') throw new Error('parameter error: parameter.data should be String')
    clipboard.data = data
    try {
      await navigator.clipboard.writeText(data)
    } catch {
      // A page without focus or permission may not write: the text is still in __mp.clipboard.
    }
    showToast({ title: '内容已复制', icon: 'success' })
  }),
  getClipboardData: wxCall('getClipboardData', async () => ({ data: clipboard.data })),

  getNetworkType: wxCall('getNetworkType', async () => networkType()),
  onNetworkStatusChange: (fn) => on('network', fn),
  offNetworkStatusChange: (fn) => off('network', fn),
  onNetworkWeakChange: (fn) => on('networkWeak', fn),
  offNetworkWeakChange: (fn) => off('networkWeak', fn),

  getSystemInfoSync: systemInfo,
  getSystemInfo: wxCall('getSystemInfo', async () => systemInfo()),
  getSystemInfoAsync: wxCall('getSystemInfoAsync', async () => systemInfo()),
  getWindowInfo: windowInfo,
  getAppBaseInfo: appBaseInfo,
  getDeviceInfo: deviceInfo,
  getSystemSetting: () => ({ bluetoothEnabled: false, locationEnabled: false, wifiEnabled: phone.online, deviceOrientation: 'portrait' }),
  getAppAuthorizeSetting: () => ({ notificationAuthorized: 'authorized', microphoneAuthorized: 'not determined', cameraAuthorized: 'not determined' }),
  getAccountInfoSync: () => ({ miniProgram: { appId: 'wx0000000000local', envVersion: 'develop', version: '' }, plugin: {} }),
  getMenuButtonBoundingClientRect: capsule,
  onThemeChange: (fn) => on('theme', fn),
  offThemeChange: (fn) => off('theme', fn),
  ...event('windowResize'),
  ...event('appShow'),
  ...event('appHide'),
  ...event('error'),
  ...event('unhandledRejection'),
  ...event('pageNotFound'),
  ...event('memoryWarning'),
  ...event('userCaptureScreen'),
  onKeyboardHeightChange: (fn) => keyboard.on(fn),
  offKeyboardHeightChange: (fn) => keyboard.off(fn),
  hideKeyboard: wxCall('hideKeyboard', async () => {
    if (document.activeElement) document.activeElement.blur()
  }),

  createSelectorQuery: () => selectorQuery(null),
  createIntersectionObserver: (component, options) => intersectionObserver(component, options),
  createAnimation: animation,
  pageScrollTo: wxCall('pageScrollTo', async (o) => scrollPage(o)),
  nextTick: (fn) => nextFrame(fn),

  setNavigationBarTitle: wxCall('setNavigationBarTitle', async ({ title }) => setTitle(title)),
  setNavigationBarColor: wxCall('setNavigationBarColor', async (o) => setBarColor(o)),
  showNavigationBarLoading: wxCall('showNavigationBarLoading', async () => {}),
  hideNavigationBarLoading: wxCall('hideNavigationBarLoading', async () => {}),
  setBackgroundColor: wxCall('setBackgroundColor', async ({ backgroundColor }) => setPageBackground(backgroundColor)),
  ...quiet('setBackgroundTextStyle'),
  ...quiet('hideHomeButton'),
  ...quiet('startPullDownRefresh'),
  ...quiet('stopPullDownRefresh'),
  ...quiet('vibrateShort'),
  ...quiet('vibrateLong'),
  ...quiet('setKeepScreenOn'),
  ...quiet('showShareMenu'),
  ...quiet('hideShareMenu'),
  ...quiet('updateShareMenu'),
  ...quiet('setTabBarBadge'),
  ...quiet('removeTabBarBadge'),
  ...quiet('showTabBarRedDot'),
  ...quiet('hideTabBarRedDot'),
  ...quiet('setTabBarStyle'),
  ...quiet('enableAlertBeforeUnload'),
  ...quiet('disableAlertBeforeUnload'),
  ...quiet('loadFontFace'),
  shareAppMessage: () => share(stack.top(), { from: 'api' }),

  getPrivacySetting: wxCall('getPrivacySetting', async () => ({ needAuthorization: false, privacyContractName: '《用户隐私保护指引》' })),
  requirePrivacyAuthorize: wxCall('requirePrivacyAuthorize', async () => {}),
  openPrivacyContract: wxCall('openPrivacyContract', async () => showToast({ title: '隐私保护指引（模拟） Privacy guide (simulated)', icon: 'none' })),
  onNeedPrivacyAuthorization: (fn) => on('needPrivacy', fn),
  offNeedPrivacyAuthorization: (fn) => off('needPrivacy', fn),
  getSetting: wxCall('getSetting', async () => ({ authSetting: {} })),
  openSetting: wxCall('openSetting', async () => ({ authSetting: {} })),
  authorize: wxCall('authorize', async () => {}),
  login: wxCall('login', async () => ({ code: 'local-code' })),
  checkSession: wxCall('checkSession', async () => {}),

  onAppShow: (fn) => on('appShow', fn),
  getLaunchOptionsSync: () => ({ ...session.launch }),
  getEnterOptionsSync: () => ({ ...session.launch }),
  getUpdateManager: () => ({ onCheckForUpdate: (fn) => setTimeout(() => fn({ hasUpdate: false }), 0), onUpdateReady() {}, onUpdateFailed() {}, applyUpdate() {} }),
  getPerformance: () => ({ now: () => performance.now(), mark() {}, getEntries: () => [], getEntriesByName: () => [], getEntriesByType: () => [],
    createObserver: () => ({ observe() {}, disconnect() {} }) }),
  reportEvent() {},
  reportAnalytics() {},
  reportMonitor() {},
  getLogManager: () => ({ debug() {}, info() {}, log() {}, warn() {} }),
  getRealtimeLogManager: () => ({ info() {}, warn() {}, error() {}, setFilterMsg() {}, addFilterMsg() {}, in() {} }),
  preloadAssets() {},
  exitMiniProgram: wxCall('exitMiniProgram', async () => emit('exit', {})),
  restartMiniProgram: wxCall('restartMiniProgram', async () => location.reload()),
  previewImage: wxCall('previewImage', async () => showToast({ title: '预览图片（模拟） Image preview (simulated)', icon: 'none' })),
  arrayBufferToBase64: bytesToBase64,
  base64ToArrayBuffer: base64ToBytes,
  setInnerAudioOption: wxCall('setInnerAudioOption', async () => {}),
  onBeforeAppRoute: (fn) => on('beforeRoute', fn),
  onAppRoute: (fn) => on('route', fn),
  canIUse(schema) {
    const parts = String(schema).split('.')
    let at = members
    for (const name of parts) {
      if (at === null || at === undefined || !(name in Object(at))) return parts[0] !== schema && parts[0] in members && typeof members[parts[0]] === 'function'
      at = at[name]
    }
    return true
  },
}

/** Names that mini-program code may use, dotted for `wx.cloud`. */
export function knownMembers() {
  return [...Object.keys(members), ...Object.keys(cloud).map((name) => `cloud.${name}`)]
}

function watched(target, prefix) {
  return new Proxy(target, {
    get(table, key) {
      if (typeof key === 'string' && !(key in table)) {
        if (!log.unshimmed.has(prefix + key)) recordWarning(`not in the preview: ${prefix}${key}`)
        log.unshimmed.add(prefix + key)
      }
      return table[key]
    },
  })
}

members.cloud = watched(cloud, 'wx.cloud.')
export const wx = watched(members, 'wx.')
