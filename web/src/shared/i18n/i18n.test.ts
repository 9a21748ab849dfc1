import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
function flat(part: object, above = ''): Map<string, string> {
  return new Map(Object.entries(part).flatMap(([name, value]) =>
    typeof value === 'string' ? [[`${above}${name}`, value] as const] : [...flat(value as object, `${above}${name}.`)]))
}
const words = (folder: string, language: string) => flat(JSON.parse(readFileSync(join(root, folder, `${language}.json`), 'utf8')))
const SHARED = 'shared/i18n'
/** Each page with the words that are its own. */
const PAGES: [string, string | undefined][] = [['m', undefined], ['desk', 'desk/words'], ['hall', 'hall/words']]
const FOLDERS = [SHARED, ...PAGES.flatMap(([, own]) => own ?? [])]
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((each) => each[1]).sort()

it.each(FOLDERS)('has every text in both languages: %s', (folder) => {
  expect([...words(folder, 'en').keys()].sort()).toEqual([...words(folder, 'zh-CN').keys()].sort())
})
it.each(FOLDERS)('has the same holes in both: %s', (folder) => {
  const english = words(folder, 'en')
  for (const [key, text] of words(folder, 'zh-CN')) expect(holes(english.get(key) ?? ''), key).toEqual(holes(text))
})

function source(...folders: string[]): string {
  const names = folders.flatMap((folder) => (readdirSync(join(root, folder), { recursive: true }) as string[]).map((name) => join(folder, name)))
  return names.filter((name) => /\.(vue|ts)$/.test(name) && !/(\.test|schema\.d)\.ts$/.test(name)).map((name) => readFileSync(join(root, name), 'utf8')).join('\n')
}
const unused = (folder: string, text: string) => {
  const begins = [...text.matchAll(/\bt(?:e)?\(`([\w.-]+\.)\$\{/g)].map((each) => each[1]!)
  return [...words(folder, 'zh-CN').keys()].filter((key) => !text.includes(`'${key}'`) && !begins.some((start) => key.startsWith(start)))
}

it.each(PAGES)('has each text that a page asks for: %s', (page, own) => {
  const known = new Set([SHARED, ...(own ? [own] : [])].flatMap((folder) => [...words(folder, 'zh-CN').keys()]))
  const asked = [...source(page, 'shared').matchAll(/\bt\('([\w.-]+)'/g)].map((each) => each[1]!)
  expect(asked.length).toBeGreaterThan(30)
  expect(asked.filter((key) => !known.has(key))).toEqual([])
})
it('has no text that no page asks for', () => {
  expect(unused(SHARED, source('m', 'desk', 'hall', 'shared'))).toEqual([])
  for (const [page, own] of PAGES) if (own) expect(unused(own, source(page, 'shared'))).toEqual([])
})
