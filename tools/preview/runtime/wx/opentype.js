// <button open-type>: what the preview can do of it.
import { showToast } from '../dialogs.js'
import { stack } from '../stack.js'

const NOTE = {
  contact: '客服会话（模拟） Customer service (simulated)', feedback: '意见反馈（模拟） Feedback (simulated)',
  openSetting: '设置（模拟） Settings (simulated)', getPhoneNumber: '手机号（模拟） Phone number (simulated)',
}

export const shares = []

export function share(page, event) {
  const instance = page && page.instance
  const content = instance && instance.onShareAppMessage ? instance.onShareAppMessage(event) || {} : {}
  const record = { title: content.title || '', path: content.path || (page && page.route), imageUrl: content.imageUrl || '' }
  shares.push(record)
  return record
}

export function openType(button, type) {
  if (type === 'share') {
    const { title, path } = share(stack.top(), { from: 'button', target: { id: '', dataset: button.__wxElement.dataset } })
    showToast({ title: `转发（模拟） Shared: ${title} ${path}`, icon: 'none', duration: 2500 })
  } else if (type === 'agreePrivacyAuthorization') button.mpFire('agreeprivacyauthorization', { errMsg: 'agreePrivacyAuthorization:ok' })
  else if (type === 'chooseAvatar') button.mpFire('chooseavatar', { avatarUrl: '', errMsg: 'chooseAvatar:fail simulated' })
  else if (NOTE[type]) showToast({ title: NOTE[type], icon: 'none' })
}
