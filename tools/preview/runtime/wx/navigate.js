import { navigation } from '../pages.js'
import { wxCall } from './call.js'

const verbs = {
  navigateTo: ({ url, events }) => navigation.navigateTo(url, events),
  redirectTo: ({ url }) => navigation.redirectTo(url),
  reLaunch: ({ url }) => navigation.reLaunch(url),
  switchTab: ({ url }) => navigation.switchTab(url),
  navigateBack: ({ delta = 1 }) => navigation.navigateBack(delta),
}

export const navigators = Object.fromEntries(Object.entries(verbs).map(([name, action]) => [name, wxCall(name, action)]))
export const navigate = (name, options) => navigators[name](options)
