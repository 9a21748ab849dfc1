/** Reading something for a page: its data, whether it is on its way, and why it did not come. */
import { ref, shallowRef } from 'vue'
import { Refusal } from './api'

export function useLoading<T>(read: () => Promise<T>) {
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
    } catch (error) {
      if (mine === turn) failure.value = asRefusal(error)
    } finally {
      if (mine === turn) busy.value = false
    }
  }
  return { data, failure, busy, load }
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
