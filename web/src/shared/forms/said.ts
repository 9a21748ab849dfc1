import { divisionName } from '@/shared/divisions'
import { prefs } from '@/shared/prefs'
import { day, yuan } from '@/shared/words'
import { inWords, isMoney, type Field } from './schema'

/** A value as the reader says it: places by name, days and money in words. */
export function saidOf(field: Field, pointer: string, value: unknown): string {
  if (typeof value === 'string' && value) {
    if (field.format === 'division' || field['x-widget'] === 'division') return divisionName(value)
    if (field.format === 'date' && !value.includes('*')) return day(value)
  }
  if (typeof value === 'number' && isMoney(pointer)) return yuan(value)
  return inWords(field, value, prefs.language)
}
