import { reactive } from 'vue'
import { api, ask } from '@/shared/api'
import type { IconName } from '@/shared/ui/Icon.vue'
import { isServed, zonesKnown } from '@/shared/zones'
import { has, PROVINCE, staff } from './staff'

export interface Place {
  to: string
  icon: IconName
  /** Its name: `desk.<key>`. */
  key: string
  group: 'work' | 'schools' | 'money' | 'care' | 'villages' | 'operations'
  roles: string[]
  /** Only where one agency works with it. */
  agency?: string
  /** Only where this zone is served. */
  zone?: string
  /** How many things wait for somebody here. */
  waits?: () => Promise<number>
}

/** Submitted cases, and what is over time or due today. */
async function casesWait() {
  const { counts } = await ask(() => api.GET('/api/v1/desk/cases/counts'))
  return (counts.submitted ?? 0) + (counts.overdue ?? 0) + (counts.today ?? 0)
}
/** Objections, and at the province's fund files to release. */
async function benefitWaits() {
  const objections = await ask(() => api.GET('/api/v1/zones/unemployment/objections'))
  if (!has('officer') || staff.me?.division !== PROVINCE) return objections.items.length
  const batches = await ask(() => api.GET('/api/v1/zones/unemployment/batches', { params: { query: { limit: 100 } } }))
  return objections.items.length + batches.items.filter((each) => each.state === 'made').length
}
/** Campaigns whose opening a second person must confirm. */
async function openings() {
  const { items } = await ask(() => api.GET('/api/v1/zones/duty-free/desk/campaigns', { params: { query: { limit: 100 } } }))
  return items.filter((each) => each.openingAwaitsSecondPerson).length
}

const lateHops = async () => (await ask(() => api.GET('/api/v1/desk/cross-province/alerts', { params: { query: { limit: 100 } } }))).items.length

/** Rights of staff that I may give as the second person. */
async function rightsWait() {
  const { items } = await ask(() => api.GET('/api/v1/desk/staff', { params: { query: { limit: 100 } } }))
  return items.filter((each) => each.change && each.change.by !== staff.me?.id && !each.isMe).length
}

/** Where a role has something to do; the server decides what it may. */
export const PLACES: Place[] = [
  { to: '/cases', icon: 'cases', key: 'cases', group: 'work', roles: ['clerk', 'officer'], waits: casesWait },
  { to: '/cross-province', icon: 'link', key: 'crossProvince', zone: 'cross-province', group: 'work', roles: ['clerk', 'officer'], waits: lateHops },
  { to: '/certificates', icon: 'card', key: 'certificates', group: 'work', roles: ['clerk', 'officer'] },
  { to: '/enrolments', icon: 'school', key: 'enrolments', zone: 'school-places', group: 'schools', roles: ['officer'], agency: 'education' },
  { to: '/health-appeals', icon: 'heart', key: 'healthAppeals', zone: 'health-code', group: 'care', roles: ['clerk', 'officer'], agency: 'health' },
  { to: '/vaccination', icon: 'clock', key: 'vaccination', zone: 'health-code', group: 'care', roles: ['clerk', 'officer'], agency: 'health' },
  { to: '/afterwards', icon: 'people', key: 'afterwards', zone: 'school-places', group: 'schools', roles: ['clerk', 'officer'], agency: 'education' },
  { to: '/benefit', icon: 'work', key: 'benefit', zone: 'unemployment', group: 'money', roles: ['clerk', 'officer'], agency: 'human-resources', waits: benefitWaits },
  { to: '/campaigns', icon: 'bag', key: 'campaigns', zone: 'duty-free', group: 'money', roles: ['operator'], waits: openings },
  { to: '/settlements', icon: 'print', key: 'settlements', zone: 'duty-free', group: 'money', roles: ['operator'] },
  { to: '/errands', icon: 'user', key: 'errands', group: 'villages', roles: ['village-agent'] },
  { to: '/double-uses', icon: 'code', key: 'doubleUses', group: 'operations', roles: ['operator'] },
  { to: '/retention', icon: 'clock', key: 'retention', group: 'operations', roles: ['operator'] },
  { to: '/matters', icon: 'search', key: 'matters', group: 'operations', roles: ['operator'] },
  { to: '/people', icon: 'people', key: 'people', group: 'operations', roles: ['operator'], waits: rightsWait },
  { to: '/verifiers', icon: 'scan', key: 'verifiers', group: 'operations', roles: ['operator'] },
  { to: '/terminals', icon: 'phone', key: 'terminals', group: 'operations', roles: ['operator'] },
  { to: '/recolouring', icon: 'refresh', key: 'recolouring', zone: 'health-code', group: 'care', roles: ['operator'] },
]
export const mine = () => PLACES.filter((place) => has(...place.roles) && (!place.agency || place.agency === staff.me?.agency) && isServed(place.zone))
/** The same by group, each group under its heading. */
export function groups(): [Place['group'], Place[]][] {
  const found = new Map<Place['group'], Place[]>()
  for (const place of mine()) found.set(place.group, [...(found.get(place.group) ?? []), place])
  return [...found]
}
export const placeOf = (path: string) => mine().find((place) => path === place.to || path.startsWith(`${place.to}/`))

/** What waits at each place, by its address; a place that cannot say so now shows nothing. */
export const waiting = reactive(new Map<string, number>())
export async function count(): Promise<void> {
  await zonesKnown()
  await Promise.all(mine().map(async (place) => {
    const found = await place.waits?.().catch(() => undefined)
    if (found === undefined) waiting.delete(place.to)
    else waiting.set(place.to, found)
  }))
}
