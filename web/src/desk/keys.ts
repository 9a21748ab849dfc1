/** The keys of a desk: each page names its own, one listener hears them, `?` shows those that do something now. */
import { onMounted, onUnmounted, shallowReactive } from 'vue'

export interface Key {
  key: string
  /** What the map shows instead, where several keys do the like. */
  shown?: string
  /** The text that says what it does: a key of i18n, under `desk.key`. */
  says: string
  run: () => unknown
  /** Whether it does something now; always where not given. */
  when?: () => boolean
}
/** What is on the desk, the innermost last: its keys go before those of what it lies in. */
export const keys = shallowReactive<Key[][]>([])

export function useKeys(mine: Key[]) {
  onMounted(() => keys.push(mine))
  onUnmounted(() => keys.splice(keys.indexOf(mine), 1))
}

/** Whoever types means letters; a dialog that is open has the keyboard for itself. */
const TYPING = 'input:not([type=checkbox], [type=radio]), textarea, select, dialog'

export function hear(event: KeyboardEvent) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  if ((event.target as Element).closest(TYPING) || document.querySelector('dialog[open]')) return
  const found = keys.flat().findLast((each) => each.key === event.key && (each.when?.() ?? true))
  if (!found) return
  event.preventDefault()
  void found.run()
}

/** Row after row of a page's lists: whatever carries `data-row`, by its first control. */
export function useRowKeys() {
  const rows = () => [...document.querySelectorAll<HTMLElement>('[data-row]')]
  function step(by: number) {
    const all = rows()
    const here = all.findIndex((each) => each.contains(document.activeElement))
    const row = all[here < 0 ? 0 : Math.max(0, Math.min(all.length - 1, here + by))]
    const control = row?.matches('a, button') ? row : row?.querySelector<HTMLElement>('a, button, input, [tabindex]')
    control?.focus()
    row?.scrollIntoView({ block: 'nearest' })
  }
  const some = () => rows().length > 0
  useKeys([
    { key: 'j', says: 'nextRow', run: () => step(1), when: some },
    { key: 'k', says: 'lastRow', run: () => step(-1), when: some },
  ])
}
