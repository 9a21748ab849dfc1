/** Which zones this deployment serves: a province may be without some, and then nothing of them is shown. */
import { ref } from 'vue'
import { api, ask } from './api'

const KEPT = 'haiyiban.zones'
/** As they were at the last start, until the server tells; at the very first, all. */
const served = ref<string[] | undefined>(kept())
function kept(): string[] | undefined {
  try { return JSON.parse(localStorage.getItem(KEPT) ?? 'null') ?? undefined } catch { return undefined }
}

export const isServed = (zone?: string) => !zone || !served.value || served.value.includes(zone)

let asked: Promise<void> | undefined
/** Once the server has told, or could not; asked once for each start. */
export const zonesKnown = () => (asked ??= learn().catch(() => { asked = undefined }))
async function learn(): Promise<void> {
  const { items } = await ask(() => api.GET('/api/v1/zones'))
  served.value = items.map((each) => each.name)
  try { localStorage.setItem(KEPT, JSON.stringify(served.value)) } catch { /* private mode: for this visit */ }
}
