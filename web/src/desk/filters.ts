/** What a clerk looks at: a state or a focus, of one matter or of all; those kept are this clerk's, on this computer.

They hold no name and no number, so this browser may keep them; the key is the account's id. */
import { reactive, watch } from 'vue'
import { staff } from './staff'

export interface Filter { state: string; focus: string; matter: string }
export const PRESETS: Filter[] = [
  { state: 'submitted', focus: '', matter: '' }, { state: 'accepted', focus: '', matter: '' },
  { state: '', focus: 'today', matter: '' }, { state: '', focus: 'overdue', matter: '' },
  { state: '', focus: 'soon', matter: '' }, { state: '', focus: 'mine', matter: '' },
  { state: 'correction_requested', focus: '', matter: '' }, { state: '', focus: 'open-facts', matter: '' },
]
export const isSame = (one: Filter, other: Filter) => one.state === other.state && one.focus === other.focus && one.matter === other.matter
/** What the server counts it under. */
export const countedAs = (filter: Filter) => filter.focus || filter.state

interface Kept { last: Filter; saved: Filter[] }
const FIRST: Kept = { last: { ...PRESETS[0]! }, saved: [] }

export function useFilters(): Kept {
  const key = `haiyiban.desk.filters.${staff.me?.id}`
  let known: Partial<Kept> = {}
  try { known = JSON.parse(localStorage.getItem(key) ?? '{}') } catch { /* nothing kept, or nothing legible */ }
  const kept = reactive<Kept>({ last: { ...FIRST.last, ...known.last }, saved: known.saved ?? [] })
  watch(kept, () => { try { localStorage.setItem(key, JSON.stringify(kept)) } catch { /* private mode: for this visit */ } })
  return kept
}
