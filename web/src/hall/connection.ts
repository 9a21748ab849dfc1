/**
 * The figures, as long as the screen hangs there: told by the server, asked for where it has no place for another
 * screen, and asked for again after every interruption. Nothing is collected: each answer takes the last one's place.
 */
import { onUnmounted, ref, shallowRef } from 'vue'
import { api, ask, type Schemas } from '@/shared/api'
import { prefs } from '@/shared/prefs'
import { readEvent } from '@/shared/serverSentEvents'

export type Figures = Schemas['HallFiguresRead']
const SILENT_MS = 40_000
const ASKED_EVERY_MS = 10_000
const RESTS_MS = [1_000, 2_000, 5_000, 10_000]

export function useFigures() {
  const figures = shallowRef<Figures>()
  const isConnected = ref(false)
  const ended = new AbortController()

  async function listen() {
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(), SILENT_MS)
    try {
      const known = figures.value?.number
      const response = await fetch('/api/v1/hall/events', {
        headers: { 'Accept-Language': prefs.language, ...(known === undefined ? {} : { 'Last-Event-ID': String(known) }) },
        signal: AbortSignal.any([ended.signal, silent.signal]),
      })
      if (!response.ok || !response.body) return response.status
      isConnected.value = true
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let kept = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return 0
        clearTimeout(timer)
        timer = setTimeout(() => silent.abort(), SILENT_MS)
        const parts = (kept + value).split('\n\n')
        kept = parts.pop()!
        for (const part of parts) {
          const event = readEvent(part)
          if (event) figures.value = event.data as unknown as Figures
        }
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async function stay() {
    for (let failures = 0; !ended.signal.aborted;) {
      let status = -1
      try {
        figures.value = await ask(() => api.GET('/api/v1/hall/figures'))
        await renewIfNewer()
        isConnected.value = true
        failures = 0
        status = await listen() ?? -1
      } catch { /* the network, the server: the screen says so and tries again */ }
      if (ended.signal.aborted) return
      if (status === 503) await rest(ASKED_EVERY_MS)
      else {
        // A stream that ended by itself after its hour is opened again at once.
        if (status !== 0) isConnected.value = false
        await rest(RESTS_MS[Math.min(failures++, RESTS_MS.length - 1)]!)
      }
    }
  }

  const rest = (ms: number) => new Promise((done) => setTimeout(done, ms))
  void stay()
  onUnmounted(() => ended.abort())
  return { figures, isConnected }
}

let page = ''
/** A screen that hangs for months must not stay at the program of its first day. */
async function renewIfNewer() {
  const now = (await fetch('/hall/', { cache: 'no-cache' })).headers.get('etag') ?? ''
  if (page && now && now !== page) location.reload()
  page = now || page
}
