// The files of a mini-program: in the page's memory, 200 MB for one user. Handing one over downloads it in the browser.
import { phone } from '../frame.js'
import { showToast } from '../dialogs.js'
import { wxCall } from './call.js'

const FOLDER = 'wxfile://usr'
const TOTAL_BYTES = 200 * 1024 * 1024
const files = new Map()

const where = (path) => {
  if (typeof path !== 'string' || !path.startsWith(`${FOLDER}/`)) throw new Error(`permission denied, open ${path}`)
  return `${phone.user}:${path}`
}
const bytes = (text) => new Blob([text]).size

function read(path) {
  const text = files.get(where(path))
  if (text === undefined) throw new Error(`no such file or directory, open ${path}`)
  return text
}

function keep(path, text) {
  let total = bytes(text)
  for (const [name, other] of files) if (name !== where(path)) total += bytes(other)
  if (total > TOTAL_BYTES) throw new Error('the maximum size of the file storage limit is exceeded')
  files.set(where(path), text)
}

const manager = {
  writeFile: wxCall('writeFile', async ({ filePath, data }) => keep(filePath, data)),
  appendFile: wxCall('appendFile', async ({ filePath, data }) => keep(filePath, read(filePath) + data)),
  readFile: wxCall('readFile', async ({ filePath }) => ({ data: read(filePath) })),
  access: wxCall('access', async ({ path }) => { read(path) }),
  unlink: wxCall('unlink', async ({ filePath }) => {
    read(filePath)
    files.delete(where(filePath))
  }),
  readdir: wxCall('readdir', async ({ dirPath }) => {
    const start = `${phone.user}:${dirPath}/`
    return { files: [...files.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length)) }
  }),
}

/** What was handed over: {name, text}. */
export const handed = []

function hand(path, name) {
  const text = read(path)
  handed.push({ name, text })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text]))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}

/** Names of the files that are on the phone now. */
export const kept = () => [...files.keys()].filter((name) => name.startsWith(`${phone.user}:`)).map((name) => name.slice(phone.user.length + FOLDER.length + 2))

export const fileMembers = {
  getFileSystemManager: () => manager,
  shareFileMessage: wxCall('shareFileMessage', async ({ filePath, fileName }) => {
    hand(filePath, fileName || filePath.split('/').pop())
    showToast({ title: '发送文件（模拟） File sent (simulated)', icon: 'none' })
  }),
  saveFileToDisk: wxCall('saveFileToDisk', async ({ filePath }) => hand(filePath, filePath.split('/').pop())),
}
