import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import zh from '@/shared/i18n/zh-CN.json'
import { isGood, toneOf, type Verdict } from './verdict'

const verdict = (outcome: string, colour?: string): Verdict => ({ outcome, reason: '', claims: colour ? { colour } : {}, isOffline: false })

it.each([
  ['valid', undefined, true, 'ok'],
  ['valid', 'green', true, 'ok'],
  ['valid', 'yellow', false, 'warn'],
  ['valid', 'grey', false, 'warn'],
  ['valid', 'red', false, 'bad'],
  ['already_used', 'green', false, 'warn'],
  ['denied', 'green', false, 'bad'],
  ['malformed', undefined, false, 'bad'],
])('lets nobody pass but by a good code: %s %s', (outcome, colour, good, tone) => {
  expect(isGood(verdict(outcome, colour))).toBe(good)
  expect(toneOf(verdict(outcome, colour))).toBe(tone)
})

it('has a word for whatever a verifier may be shown of a certificate', () => {
  const folder = join(import.meta.dirname, '../../../../schemas/purposes')
  const read = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { certificates?: Record<string, { least: string[]; most: string[] }> })
  const shown = new Set(read.flatMap((each) => Object.values(each.certificates ?? {}).flatMap(({ least, most }) => [...least, ...most])))
  expect(shown.size).toBeGreaterThan(10)
  expect([...shown].filter((name) => !(name in zh.claim))).toEqual([])
})
