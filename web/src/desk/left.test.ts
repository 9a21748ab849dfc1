import { expect, it } from 'vitest'
import { left } from './left'

it.each([
  [5, false, 'ok', 'days'], [2, false, 'warn', 'days'], [0, false, 'bad', 'today'],
  [0, true, 'bad', 'justOver'], [-3, true, 'bad', 'over'],
])('says %i days left (over: %s) as %s, %s', (days, over, tone, says) => {
  expect(left(days, over)).toMatchObject({ tone, says })
})
it('says nothing while no clock runs', () => expect(left(null)).toBeUndefined())
