/** The API, typed by its contract. Answers come back as data; refusals are thrown as `Refusal`. */
import createClient, { type Middleware } from 'openapi-fetch'
import type { components, paths } from '@/api/schema'
import { prefs } from './prefs'
import { Refusal } from './refusal'

export { Refusal }
export type Schemas = components['schemas']

/** The bearer of the next request, and how to get another once it is over; `session.ts` sets both. */
export const bearer: { token: string; renew: () => Promise<boolean> } = { token: '', renew: async () => false }

/** Milliseconds by which the server's clock is ahead of this phone's. */
export const clock = { skew: 0, now: () => Date.now() + clock.skew }

const headers: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', prefs.language)
    if (bearer.token && !request.headers.has('Authorization')) request.headers.set('Authorization', `Bearer ${bearer.token}`)
    return request
  },
  onResponse({ response }) {
    // What a cache keeps is dated by the day it was kept.
    if (/max-age=[1-9]/.test(response.headers.get('cache-control') ?? '')) return
    const date = Date.parse(response.headers.get('date') ?? '')
    // A date has whole seconds: half of one is the best guess.
    if (date && Math.abs(date + 500 - clock.now()) > 1500) clock.skew = date + 500 - Date.now()
  },
}

/** Times out: a phone in a lift must not wait for ever. */
async function fetchInTime(request: Request): Promise<Response> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), 20_000)
  try { return await fetch(new Request(request, { signal: stop.signal })) } finally { clearTimeout(timer) }
}

export const api = createClient<paths>({ baseUrl: '/', fetch: fetchInTime })
api.use(headers)

interface Answer<T> { data?: T; error?: unknown; response: Response }

/** Data, or a thrown Refusal; signs in anew once if the access token is over meanwhile. */
export async function ask<T>(call: () => Promise<Answer<T>>): Promise<T> {
  let answer = await send(call)
  if (answer.response.status === 401 && bearer.token && (await bearer.renew())) answer = await send(call)
  if (answer.error === undefined && answer.response.ok) return answer.data as T
  throw refusalOf(answer.error, answer.response)
}

async function send<T>(call: () => Promise<Answer<T>>): Promise<Answer<T>> {
  try { return await call() } catch { throw new Refusal(0, 'offline', '') }
}

export function refusalOf(error: unknown, response: Response): Refusal {
  const { type, title, detail, errors, status: _status, ...members } = (typeof error === 'object' && error ? error : {}) as Record<string, never>
  return new Refusal(
    response.status, String(type ?? '').split('/').pop() || 'unknown', title ?? '', detail ?? '', errors ?? [], members,
    Number(response.headers.get('retry-after') ?? 0),
  )
}

/** For each thing that somebody means to do once, however often the button is tapped. */
export const intent = () => crypto.randomUUID()
