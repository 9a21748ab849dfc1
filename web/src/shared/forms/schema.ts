/** Reading a form's schema (JSON Schema 2020-12 with our `x-` members) as things to show. Pure. */

export interface Field {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  title?: string
  'x-title-en'?: string
  description?: string
  properties?: Record<string, Field>
  required?: string[]
  items?: Field
  oneOf?: { const: string; title: string; 'x-title-en'?: string }[]
  format?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  'x-widget'?: string
  'x-options'?: string
  'x-unit'?: string
  'x-mask'?: string
  'x-certificates'?: string[]
  allOf?: { if?: Field; then?: Field }[]
  const?: unknown
}

export type Values = Record<string, unknown>

/** Money is written in fen (`…Fen`) and read and typed in yuan. */
export const isMoney = (pointer: string) => pointer.endsWith('Fen')

export function titleOf(field: { title?: string; 'x-title-en'?: string }, language: string, pointer = ''): string {
  const title = (language === 'en' && field['x-title-en']) || field.title || ''
  return isMoney(pointer) ? title.replace(/（分）| in fen$/, '') : title
}

/** The value at a JSON pointer of plain names. */
export function at(values: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce<unknown>((part, name) => (part as Values | undefined)?.[name], values)
}

/** The merge patch (RFC 7396) that sets one value; `undefined` takes it away. */
export function patchOf(pointer: string, value: unknown): Values {
  const names = pointer.split('/').slice(1)
  return names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value === undefined ? null : value) as Values
}

/** Two merge patches as one; the later wins. */
export function merge(first: Values, second: Values): Values {
  const merged: Values = { ...first }
  for (const [name, value] of Object.entries(second)) {
    const before = merged[name]
    merged[name] = isGroup(value) && isGroup(before) ? merge(before, value) : value
  }
  return merged
}

/** What a merge patch makes of values. */
export function applied(values: Values, patch: Values): Values {
  const changed: Values = { ...values }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete changed[name]
    else changed[name] = isGroup(value) ? applied(isGroup(changed[name]) ? changed[name] : {}, value) : value
  }
  return changed
}

const isGroup = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The locked pointer that covers this one, if any. */
export const lockOf = (pointer: string, locked: readonly string[]) =>
  locked.find((each) => pointer === each || pointer.startsWith(`${each}/`))

/** Whether anything at or below a pointer is locked. */
export const holdsLocked = (pointer: string, locked: readonly string[]) =>
  locked.some((each) => each === pointer || each.startsWith(`${pointer}/`))

/** The schema of a field as the other values leave it: `allOf` of `if`/`then`, the one form of condition that our forms use. */
export function asConditioned(root: Field, name: string, values: Values): Field {
  let field = root.properties![name]!
  for (const { if: condition, then } of root.allOf ?? []) {
    const holds = Object.entries(condition?.properties ?? {}).every(([key, { const: wanted }]) => values[key] === wanted)
    if (holds && then?.properties?.[name]) field = { ...field, ...then.properties[name] }
  }
  return field
}

/** A value in words: the title of a choice, a day, a list. */
export function inWords(field: Field, value: unknown, language: string): string {
  if (value === undefined || value === null || value === '') return '—'
  const choice = field.oneOf?.find((each) => each.const === value)
  if (choice) return titleOf(choice, language)
  if (typeof value === 'boolean') return value ? '✓' : '—'
  if (Array.isArray(value)) return value.map((each) => inWords(field.items ?? {}, each, language)).join('、')
  return `${String(value)}${field['x-unit'] ? ` ${field['x-unit']}` : ''}`
}
