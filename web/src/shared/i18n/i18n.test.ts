import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import en from './en.json'
import zh from './zh-CN.json'

function flat(part: object, above = ''): Map<string, string> {
  return new Map(Object.entries(part).flatMap(([name, value]) =>
    typeof value === 'string' ? [[`${above}${name}`, value] as const] : [...flat(value as object, `${above}${name}.`)]))
}
const chinese = flat(zh)
const english = flat(en)
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((each) => each[1]).sort()

it('has every text in both languages', () => {
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
})
it('has the same holes in both', () => {
  for (const [key, text] of chinese) expect(holes(english.get(key) ?? ''), key).toEqual(holes(text))
})

const root = join(import.meta.dirname, '../..')
const sources = (readdirSync(root, { recursive: true }) as string[]).filter((name) => /\.(vue|ts)$/.test(name) && !/(\.test|schema\.d)\.ts$/.test(name))
const text = sources.map((name) => readFileSync(join(root, name), 'utf8')).join('\n')

it('has each text that a page asks for', () => {
  const asked = [...text.matchAll(/\bt\('([\w.-]+)'/g)].map((each) => each[1]!)
  expect(asked.length).toBeGreaterThan(100)
  expect(asked.filter((key) => !chinese.has(key))).toEqual([])
})
it('has no text that no page asks for', () => {
  const begins = [...text.matchAll(/\bt(?:e)?\(`([\w.-]+\.)\$\{/g)].map((each) => each[1]!)
  const unused = [...chinese.keys()].filter((key) => !text.includes(`'${key}'`) && !begins.some((start) => key.startsWith(start)))
  expect(unused).toEqual([])
})
