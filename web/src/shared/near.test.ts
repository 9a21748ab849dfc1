import { expect, it } from 'vitest'
import { distanceSaid, metresBetween } from './near'

it('knows how long a degree is', () => {
  expect(metresBetween({ latitude: 20, longitude: 110 }, { latitude: 21, longitude: 110 })).toBeCloseTo(111_195, -1)
  expect(metresBetween({ latitude: 0, longitude: 110 }, { latitude: 0, longitude: 111 })).toBeCloseTo(111_195, -1)
  expect(metresBetween({ latitude: 20, longitude: 110 }, { latitude: 20, longitude: 110 })).toBe(0)
})
it.each([
  [3, 'metres', '10'], [844, 'metres', '840'], [994, 'metres', '990'], [995, 'kilometres', '1.0'], [12_345, 'kilometres', '12.3'],
] as const)('says %d m as %s %s', (metres, unit, n) => expect(distanceSaid(metres)).toEqual({ unit, n }))
