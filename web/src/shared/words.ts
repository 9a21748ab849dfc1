/** Money, dates and times in the reader's words. Dates are those of Hainan, wherever the phone is. */
import { prefs } from './prefs'

const ZONE = 'Asia/Shanghai'

export const yuan = (fen: number) => new Intl.NumberFormat(prefs.language, { style: 'currency', currency: 'CNY' }).format(fen / 100)

export const day = (iso: string | null | undefined) => iso
  ? new Intl.DateTimeFormat(prefs.language, { dateStyle: 'medium', timeZone: ZONE }).format(new Date(iso.length === 10 ? `${iso}T12:00:00+08:00` : iso))
  : ''

/** A month by its number, such as 2026-12. */
export const month = (iso: string) => new Intl.DateTimeFormat(prefs.language, { year: 'numeric', month: 'long', timeZone: ZONE }).format(new Date(`${iso.slice(0, 7)}-15T12:00:00+08:00`))

export const time = (iso: string) => new Intl.DateTimeFormat(prefs.language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: ZONE }).format(new Date(iso))

export const moment = (iso: string | null | undefined) => iso
  ? new Intl.DateTimeFormat(prefs.language, { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: ZONE }).format(new Date(iso))
  : ''
