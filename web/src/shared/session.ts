/** Who is signed in here. The access token lives in memory, the refresh token in a cookie that no script reads. */
import { computed, reactive } from 'vue'
import { api, ask, bearer, Refusal, type Schemas } from './api'
import { dropAll } from './codes/capsules'

type Me = Schemas['MeRead']

const DEVICE = 'haiyiban.device'
const HERE = 'haiyiban.here'
export const session = reactive<{ me: Me | null; ready: boolean }>({ me: null, ready: false })
export const level = computed(() => session.me?.assurance ?? '')
export const isSignedIn = computed(() => session.me !== null)

let renewing: Promise<boolean> | undefined

/** A new access token by the cookie; one at a time, as each refresh token is good once. */
function renew(): Promise<boolean> {
  renewing ??= exchange().finally(() => { renewing = undefined })
  return renewing
}

async function exchange(): Promise<boolean> {
  const answer = await api.POST('/api/v1/auth/sessions/refresh', { body: {}, headers: { Authorization: '' } }).catch(() => null)
  if (answer?.data) {
    bearer.token = answer.data.accessToken
    return true
  }
  if (answer && answer.response.status < 500) await forget()
  return false
}
bearer.renew = renew

async function forget(): Promise<void> {
  bearer.token = ''
  session.me = null
  localStorage.removeItem(HERE)
  await dropAll()
}

/** At the start of a page: whoever signed in here before still is. */
export async function restore(): Promise<void> {
  // Without the mark nobody signed in on this device, and there is nothing to ask.
  if (localStorage.getItem(HERE) && (await renew())) await readMe().catch(() => undefined)
  session.ready = true
}

export async function readMe(): Promise<void> {
  session.me = await ask(() => api.GET('/api/v1/me'))
}

export async function signIn(phone: string, code: string): Promise<void> {
  const deviceToken = localStorage.getItem(DEVICE) ?? undefined
  const tokens = await ask(() => api.POST('/api/v1/auth/sessions', {
    body: { method: 'sms', phone, code, transport: 'cookie', deviceToken },
  }))
  bearer.token = tokens.accessToken
  localStorage.setItem(HERE, '1')
  // It says only that this device was here before; without a session it opens nothing.
  if (tokens.deviceToken) localStorage.setItem(DEVICE, tokens.deviceToken)
  await readMe()
}

/** Inside the WeChat shell: the ticket that it was given, for a session. An old one leaves everything as it is. */
export async function signInByTicket(ticket: string): Promise<void> {
  const deviceToken = localStorage.getItem(DEVICE) ?? undefined
  const answer = await api.POST('/api/v1/auth/sessions', {
    body: { method: 'wechat-ticket', ticket, transport: 'cookie', deviceToken },
  }).catch(() => null)
  if (!answer?.data) return
  bearer.token = answer.data.accessToken
  localStorage.setItem(HERE, '1')
  if (answer.data.deviceToken) localStorage.setItem(DEVICE, answer.data.deviceToken)
  await readMe().catch(() => undefined)
}

export async function signOut(): Promise<void> {
  await ask(() => api.DELETE('/api/v1/auth/sessions/current')).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.isOffline) throw error
  })
  await forget()
}

/** The account is no more: this device forgets it, and that it was ever known. */
export async function accountClosed(): Promise<void> {
  localStorage.removeItem(DEVICE)
  await forget()
}
