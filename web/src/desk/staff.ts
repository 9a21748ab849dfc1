/** The staff member at this desk: token in memory, refresh token in the cookie that no script reads. */
import { reactive } from 'vue'
import { api, ask, bearer } from '@/shared/api'

interface Staff { id: string; roles: string[]; agency: string; division: string }
export const staff = reactive<{ me: Staff | null; username: string }>({ me: null, username: '' })
/** The whole province's division: `divisions.PROVINCE`. */
export const PROVINCE = '460000'
export const has = (...roles: string[]) => roles.some((role) => staff.me?.roles.includes(role))

const HERE = 'haiyiban.desk'
let renewing: Promise<boolean> | undefined

/** What the token says of its bearer; the server checks it anew each time, this only decides what is shown. */
function take(token: string): boolean {
  const claims = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')))
  if (claims.knd !== 'staff') return false
  bearer.token = token
  staff.me = { id: claims.sub, roles: claims.rol, agency: claims.agy, division: claims.div }
  return true
}

async function exchange(): Promise<boolean> {
  const answer = await api.POST('/api/v1/auth/sessions/refresh', { body: {}, headers: { Authorization: '' } }).catch(() => null)
  if (answer?.data && take(answer.data.accessToken)) return true
  if (answer && answer.response.status < 500) forget()
  return false
}
const renew = () => (renewing ??= exchange().finally(() => { renewing = undefined }))
bearer.renew = renew

function forget() {
  bearer.token = ''
  staff.me = null
  localStorage.removeItem(HERE)
}

export async function restore(): Promise<void> {
  if (localStorage.getItem(HERE)) await renew()
}

/** With `newPassword`, that is the password from now on. */
export async function signIn(username: string, password: string, otp: string, newPassword: string): Promise<void> {
  const tokens = await ask(() => api.POST('/api/v1/auth/sessions', {
    body: { method: 'staff', username, password, otp: otp || undefined, newPassword: newPassword || undefined, transport: 'cookie' },
  }))
  take(tokens.accessToken)
  localStorage.setItem(HERE, '1')
}

export async function signOut(): Promise<void> {
  await ask(() => api.DELETE('/api/v1/auth/sessions/current')).catch(() => undefined)
  forget()
}
