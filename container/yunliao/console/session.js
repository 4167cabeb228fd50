// Who is signed in. The token is in sessionStorage: it outlives a reload (a phone throws pages away), ends with the tab, is sent by no
// browser on its own, and no other tab sees it. docs/security.md says more.

const KEY = 'yunliao.console.session'

/** @type {{token: string, name: string, role: string, expires_at: number} | null} */
let current = read()

function read() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY) || 'null')
    return found && found.token && found.expires_at > Date.now() ? found : null
  } catch {
    return null
  }
}

export const session = () => current

export function keep(found) {
  current = found
  if (found) sessionStorage.setItem(KEY, JSON.stringify(found))
  else sessionStorage.removeItem(KEY)
}

const ROLES = ['viewer', 'operator', 'owner']

/** Whether whoever is signed in has at least this role. The service decides; this only leaves out what it would refuse. */
export const may = (role) => current !== null && ROLES.indexOf(current.role) >= ROLES.indexOf(role)
