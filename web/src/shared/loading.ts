/** Reading something for a page: its data, whether it is on its way, and why it did not come. */
import { type Ref, ref, shallowRef } from 'vue'
import { Refusal } from './refusal'

/** `arrived` hears of the newest answer alone: of two that are on their way the one asked for first is forgotten. */
export function useLoading<T>(read: () => Promise<T>, arrived: (found: T) => void = () => undefined) {
  const data = shallowRef<T>()
  const failure = shallowRef<Refusal>()
  const busy = ref(false)
  let turn = 0
  async function load(): Promise<void> {
    const mine = ++turn
    busy.value = true
    try {
      const found = await read()
      if (mine !== turn) return
      data.value = found
      failure.value = undefined
      arrived(found)
    } catch (error) {
      if (mine === turn) failure.value = asRefusal(error)
    } finally {
      if (mine === turn) busy.value = false
    }
  }
  /** What is asked for is another thing now: the one before is not shown in its place, nor acted on. */
  function loadAnother(): Promise<void> {
    data.value = undefined
    return load()
  }
  return { data, failure, busy, load, loadAnother }
}

/** A list that comes page by page: the first on `load`, each further one on `more`. */
export function usePages<T>(read: (cursor?: string) => Promise<{ items: T[]; next?: string | null }>) {
  const items = ref<T[]>([]) as Ref<T[]>
  const next = ref<string | null>(null)
  const first = useLoading(() => read(), (page) => {
    items.value = page.items
    next.value = page.next ?? null
  })
  const { busy: reading, failure: furtherFailure, act } = useAct()
  const more = () => act(async () => {
    const begun = first.data.value
    const page = await read(next.value!)
    if (first.data.value !== begun) return
    items.value = [...items.value, ...page.items]
    next.value = page.next ?? null
  })
  function loadAnother(): Promise<void> {
    items.value = []
    next.value = null
    return first.loadAnother()
  }
  return { ...first, loadAnother, items, next, more, reading, furtherFailure }
}

/** Doing something once: a second tap while the first is under way does nothing. */
export function useAct() {
  const busy = ref(false)
  const failure = shallowRef<Refusal>()
  async function act<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (busy.value) return undefined
    busy.value = true
    failure.value = undefined
    try { return await work() } catch (error) {
      failure.value = asRefusal(error)
      return undefined
    } finally { busy.value = false }
  }
  return { busy, failure, act }
}

export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}
