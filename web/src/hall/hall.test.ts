import { expect, it } from 'vitest'
import { isOld, linePath, roundUp, short, steps } from './charts'
import { placeOf, shortName } from './counties'

it('ends a scale at a round number that holds everything', () => {
  expect([0, 3, 6, 10, 11, 99, 1234, 6500].map(roundUp)).toEqual([5, 5, 6, 10, 15, 100, 1500, 8000])
  expect(steps(8000)).toEqual([0, 2000, 4000, 6000, 8000])
})
it('draws a line and leaves a gap for what is not known', () => {
  expect(linePath([0, 5, 10], 10, 100, 50)).toBe('M0 50L50 25L100 0')
  expect(linePath([0, null, 10], 10, 100, 50)).toBe('M0 50M100 0')
  expect(linePath([], 10, 100, 50)).toBe('')
})
it('calls counties as people do', () => {
  expect(['海口市', '白沙黎族自治县', '保亭黎族苗族自治县', '定安县'].map(shortName)).toEqual(['海口', '白沙', '保亭', '定安'])
})
it('gives no two counties one place', () => {
  const taken = ['460100', '460200', '460300', '460400', '469001', '469002', '469005', '469006', '469007', '469021', '469022', '469023', '469024', '469025', '469026', '469027', '469028', '469029', '469030'].map((code) => JSON.stringify(placeOf(code)))
  expect(new Set(taken).size).toBe(19)
  expect(placeOf('440100')).toEqual({})
})
it('says when figures are old', () => {
  const now = Date.parse('2026-09-01T02:01:01Z')
  expect(isOld('2026-09-01T02:00:02Z', now)).toBe(false)
  expect(isOld('2026-09-01T02:00:00Z', now)).toBe(true)
})
it('shortens thousands', () => expect([12, 1200, 45_600].map(short)).toEqual(['12', '1,200', '45.6k']))
