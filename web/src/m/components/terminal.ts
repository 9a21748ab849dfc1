/**
 * This browser as a terminal of its verifier (docs/terminal.md): enrolled by a one-time code, it verifies without a
 * network by the lists it holds, keeps what it decided, and uploads it signed when the network is back.
 */
import { reactive } from 'vue'
import { api, ask, clock, Refusal } from '@/shared/api'
import { canonical } from '@/shared/codes/canonical'
import { toBase64url } from '@/shared/codes/deviceCode'
import { enrolled, enqueue, keepEnrolled, keepLists, lists, queued, queueLength, unqueue, type Enrolled, type Scan } from './terminalStore'
import { enter, verifier } from './verifier'
import type { Checked, Held } from '../../../../schemas/codes/verifier/index'

export const terminal = reactive({
  isEnrolled: false,
  isOffline: false,
  waiting: 0,
  /** Of the deny-list held, seconds since 1970; 0 without one. */
  listsIssuedAt: 0,
  /** Uploaded results that a person must read: accepted twice, or judged otherwise by the platform. */
  toRead: 0,
  advice: [] as string[],
})
const ES256 = { name: 'ECDSA', hash: 'SHA-256' } as const
const BATCH = 500
const REFRESH_MS = 60_000
const PROBE_MS = 5_000

let self: Enrolled | undefined
let held: Held | undefined
const scanned = new Set<string>()
const second = () => Math.floor(clock.now() / 1000)
const rules = () => import('../../../../schemas/codes/verifier/index')

/** Make a key, and enrol its public half with the code that the operator read out. */
export async function enrol(oneTimeCode: string): Promise<void> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const root = await ask(() => api.GET('/api/v1/trust-list/root')) as JsonWebKey
  const told = await ask(() => api.POST('/api/v1/terminals/enrolments', { body: { oneTimeCode, publicKey: { kty, crv, x, y } }, headers: { Authorization: '' } }))
  const lock = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const secret = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, lock, new TextEncoder().encode(told.clientSecret))
  self = { terminalId: told.terminalId, clientId: told.clientId, secret, iv, lock, key: pair.privateKey, root, nextSequence: told.nextSequence }
  await keepEnrolled(self)
  await navigator.storage?.persist?.().catch(() => false)
  await keepFiles()
  await wake()
}

/** Take up what this browser is: signed in where there is a network, by its lists where there is none. */
export async function wake(): Promise<void> {
  self = await enrolled()
  if (!self) return
  terminal.isEnrolled = true
  verifier.purpose ||= self.purpose ?? ''
  terminal.waiting = await queueLength()
  await takeLists()
  await connect()
}

/** Verify for this from now on, with a network or without. */
export async function choose(purpose: string): Promise<void> {
  if (!self || self.purpose === purpose) return
  self.purpose = purpose
  await keepEnrolled(self)
}

/** Sign in, fetch the lists, upload what waits, report; whatever fails waits for the next time. */
export async function connect(): Promise<void> {
  if (!self) return
  try {
    await signIn(self)
    terminal.isOffline = false
    // Lists that cannot be had now keep no record back.
    const [refreshed] = await Promise.allSettled([refresh()])
    await upload()
    await report()
    if (refreshed.status === 'rejected') throw refreshed.reason
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (!error.isOffline) throw error
    terminal.isOffline = true
    verifier.token ||= 'offline'
  }
}

/** Once in a while, for as long as the page is open. Gives back how to stop. */
export function keepConnected(): () => void {
  let last = Date.now(), isBusy = false
  const look = async () => {
    const every = terminal.isOffline ? PROBE_MS : REFRESH_MS
    if (!self || isBusy || Date.now() - last < every) return
    isBusy = true
    last = Date.now()
    await connect().catch(() => undefined)
    isBusy = false
  }
  const soon = () => { last = 0; void look() }
  const timer = setInterval(look, 1000)
  addEventListener('online', soon)
  return () => { clearInterval(timer); removeEventListener('online', soon) }
}

async function signIn(known: Enrolled) {
  const secret = new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: known.iv }, known.lock, known.secret))
  await enter(known.clientId, secret)
}

async function refresh() {
  const text = async (path: string) => {
    const answer = await fetch(path, { cache: 'no-cache' }).catch(() => { throw new Refusal(0, 'offline', '') })
    return answer.ok ? answer.text() : undefined
  }
  const [trustList, denyList] = await Promise.all([text('/api/v1/trust-list'), text('/api/v1/deny-list')])
  if (!trustList || !denyList) return
  const { count } = await ask(() => api.GET('/api/v1/status-lists'))
  const statusLists = (await Promise.all(Array.from({ length: count }, (_, list) => text(`/api/v1/status-lists/${list}`)))).filter((each) => each !== undefined)
  const before = await lists()
  const { hold } = await rules()
  const next = await hold({ trustList, denyList, statusLists }, self!.root, second(), before?.seen)
  held = next
  terminal.listsIssuedAt = next.deny.issuedAt
  await keepLists({ trustList, denyList, statusLists, seen: { trustList: next.trust.issuedAt, denyList: next.deny.issuedAt } })
}

async function takeLists() {
  const kept = await lists()
  if (!kept || held) return
  const { hold } = await rules()
  held = await hold(kept, self!.root, second(), kept.seen).catch(() => undefined)
  terminal.listsIssuedAt = held?.deny.issuedAt ?? 0
}

/** The verdict of this terminal alone, and its record on the way to the platform. */
export async function judgeHere(text: string, purpose: string): Promise<Checked> {
  const { judge } = await rules()
  const at = second()
  let checked: Checked = held ? await judge(text, held, at) : { outcome: 'stale_lists' }
  const isPrinted = checked.claims?.body.status !== undefined
  if (checked.outcome === 'valid' && !isPrinted) {
    if (scanned.has(text)) checked = { ...checked, outcome: 'already_used' as never }
    scanned.add(text)
  }
  await enqueue({ id: crypto.randomUUID(), text, verifiedAt: new Date(at * 1000).toISOString(), outcome: checked.outcome, purpose: purpose || undefined })
  terminal.waiting++
  return checked
}

/** Everything that waits, in batches, each signed once and sent until it is answered. */
export async function upload(): Promise<void> {
  while (self) {
    const known = self
    if (!known.pending) {
      const records = (await queued()).slice(0, BATCH)
      terminal.waiting = records.length
      if (!records.length) return
      known.pending = await signed(known, records)
      await keepEnrolled(known)
    }
    const answer = await api.POST('/api/v1/verifications/batch', { body: JSON.parse(known.pending.body), headers: { Authorization: `Bearer ${verifier.token}` } })
      .catch(() => { throw new Refusal(0, 'offline', '') })
    if (answer.data) {
      terminal.toRead += answer.data.results.filter((each) => each.doubleUse || each.agrees === false).length
      await unqueue(known.pending.places)
      known.nextSequence = answer.data.nextSequence
    } else {
      const next = (answer.error as { nextSequence?: number } | undefined)?.nextSequence
      if (answer.response.status !== 409 || next === undefined || next === known.nextSequence) return
      known.nextSequence = next
    }
    known.pending = undefined
    await keepEnrolled(known)
    terminal.waiting = await queueLength()
  }
}

async function signed(known: Enrolled, scans: Scan[]) {
  const records = scans.map(({ place: _, ...record }) => record)
  const batch = { terminalId: known.terminalId, sequence: known.nextSequence, records }
  const signature = await crypto.subtle.sign(ES256, known.key, new TextEncoder().encode(canonical(batch)))
  return { body: JSON.stringify({ ...batch, signature: toBase64url(new Uint8Array(signature)) }), places: scans.map((each) => each.place!) }
}

async function report() {
  const body = { listIssuedAt: terminal.listsIssuedAt ? new Date(terminal.listsIssuedAt * 1000).toISOString() : null, queueLength: terminal.waiting, clock: new Date(clock.now()).toISOString() }
  const answer = await api.POST('/api/v1/terminals/me/heartbeat', { body, headers: { Authorization: `Bearer ${verifier.token}` } }).catch(() => undefined)
  terminal.advice = answer?.data?.advice ?? []
}

/** What reads codes is kept beside the page, so that a terminal starts without a network too. */
async function keepFiles() {
  const files = await caches.open('terminal').catch(() => undefined)
  const { readerFiles } = await import('@/shared/qr/decode')
  await files?.addAll(readerFiles).catch(() => undefined)
}
