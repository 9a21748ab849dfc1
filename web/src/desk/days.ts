/** A day of Hainan's calendar, so many days ago, as inputs and the API write it. */
import { clock } from '@/shared/api'

const DAY = 24 * 3600_000
const HAINAN = 8 * 3600_000
export const daysAgo = (days: number) => new Date(clock.now() + HAINAN - days * DAY).toISOString().slice(0, 10)
