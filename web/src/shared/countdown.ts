import { computed, onScopeDispose, ref, type Ref, watch } from 'vue'
import { clock } from './api'

/** Seconds left until an instant by the server's clock: a phone's wrong clock must not show a live code as over. */
export function useCountdown(until: Ref<string | undefined>, onEnd: () => void) {
  const now = ref(clock.now())
  let fired = ''
  const left = computed(() => (until.value ? Math.max(0, (Date.parse(until.value) - now.value) / 1000) : 0))
  function tick() {
    now.value = clock.now()
    if (until.value && left.value <= 0 && fired !== until.value && !document.hidden) {
      fired = until.value
      onEnd()
    }
  }
  watch(until, tick)
  const timer = setInterval(tick, 250)
  document.addEventListener('visibilitychange', tick)
  onScopeDispose(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', tick)
  })
  return { left, now }
}
