import type { IconName } from '@/shared/ui/Icon.vue'
import { has } from './staff'

export interface Place { to: string; icon: IconName; key: string; roles: string[] }

/** Where a role has something to do; the server decides what it may. */
export const PLACES: Place[] = [
  { to: '/cases', icon: 'cases', key: 'cases', roles: ['clerk', 'officer'] },
  { to: '/enrolments', icon: 'school', key: 'enrolments', roles: ['officer'] },
  { to: '/verifiers', icon: 'scan', key: 'verifiers', roles: ['operator'] },
]
export const mine = () => PLACES.filter((place) => has(...place.roles))
