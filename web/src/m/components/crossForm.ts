/** The form of another province's matter, without what need not be filled in here; and what was typed, kept while
 * the app is open. Nothing personal goes into the browser's storage. */
import { reactive } from 'vue'
import { lockOf, type Field, type Values } from '@/shared/forms/schema'

/** What was typed into applications that are not sent yet, by what they are for. */
export const drafts = reactive(new Map<string, Values>())

/** The fields that a person fills in: those that registers or the sign-in fill in stay out, unless asked for. */
export function toFillIn(field: Field, filledIn: readonly string[], asked: readonly string[] = [], pointer = ''): Field {
  const kept = Object.entries(field.properties ?? {}).flatMap(([name, inner]): [string, Field][] => {
    const here = `${pointer}/${name}`
    const isAsked = asked.some((each) => each === here || here.startsWith(`${each}/`))
    if (inner.type !== 'object') return lockOf(here, filledIn) && !isAsked ? [] : [[name, inner]]
    if (lockOf(here, filledIn) && !isAsked) return []
    const part = toFillIn(inner, filledIn, asked, here)
    return Object.keys(part.properties ?? {}).length ? [[name, part]] : []
  })
  return { ...field, properties: Object.fromEntries(kept) }
}
