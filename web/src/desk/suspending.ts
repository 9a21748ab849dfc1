/** Stopping somebody or something at once, with a reason, and letting it go on: the same for verifiers and terminals. */
import { ref } from 'vue'
import { useAct } from '@/shared/loading'

export interface Named { id: string; name: string }

export function useSuspending(ask: { suspend: (id: string, reason: string) => Promise<unknown>; reinstate: (id: string) => Promise<unknown>; reload: () => Promise<unknown> }) {
  const suspending = ref<Named>()
  const { busy, failure, act } = useAct()
  function begin(what: Named) {
    failure.value = undefined
    suspending.value = { id: what.id, name: what.name }
  }
  const suspend = (reason: string) => act(async () => {
    await ask.suspend(suspending.value!.id, reason)
    suspending.value = undefined
    await ask.reload()
  })
  const reinstate = (id: string) => act(async () => {
    await ask.reinstate(id)
    await ask.reload()
  })
  return { suspending, busy, failure, begin, suspend, reinstate }
}
