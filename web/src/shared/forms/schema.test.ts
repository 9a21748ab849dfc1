import { describe, expect, it } from 'vitest'
import { applied, asConditioned, at, holdsLocked, inWords, lockOf, merge, patchOf, type Field } from './schema'

describe('merge patches', () => {
  it('set one value deep down', () => {
    expect(patchOf('/home/address', '示例一路')).toEqual({ home: { address: '示例一路' } })
  })
  it('take a value away with null', () => {
    expect(patchOf('/home', undefined)).toEqual({ home: null })
    expect(applied({ home: { id: '1' }, category: 'public' }, { home: null })).toEqual({ category: 'public' })
  })
  it('are laid over each other, the later on top, arrays as a whole', () => {
    expect(merge({ a: { b: 1, c: [1, 2] } }, { a: { c: [3] } })).toEqual({ a: { b: 1, c: [3] } })
    expect(merge({ a: null }, { a: { b: 1 } })).toEqual({ a: { b: 1 } })
  })
  it('leave what they do not name, and the values given', () => {
    const values = { a: { b: 1, c: 2 } }
    expect(applied(values, { a: { b: 3 } })).toEqual({ a: { b: 3, c: 2 } })
    expect(values).toEqual({ a: { b: 1, c: 2 } })
  })
})

describe('pointers', () => {
  it('read a value, or nothing', () => {
    expect(at({ a: { b: 1 } }, '/a/b')).toBe(1)
    expect(at({ a: 1 }, '/b/c')).toBeUndefined()
  })
  it('know what locks them, also from above, and never by half a name', () => {
    expect(lockOf('/home/address', ['/home'])).toBe('/home')
    expect(lockOf('/homes', ['/home'])).toBeUndefined()
    expect(holdsLocked('/guardian', ['/guardian/name'])).toBe(true)
    expect(holdsLocked('/guard', ['/guardian/name'])).toBe(false)
  })
})

describe('fields', () => {
  const school: Field = {
    type: 'object',
    properties: { category: { type: 'string' }, choices: { type: 'array', maxItems: 5 } },
    allOf: [{ if: { properties: { category: { const: 'private' } } }, then: { properties: { choices: { maxItems: 1 } } } }],
  }
  it('follow the condition that holds', () => {
    expect(asConditioned(school, 'choices', { category: 'private' }).maxItems).toBe(1)
    expect(asConditioned(school, 'choices', { category: 'public' }).maxItems).toBe(5)
    expect(asConditioned(school, 'choices', {}).maxItems).toBe(5)
  })
  it('say a choice by its title and an absent value as a dash', () => {
    const field: Field = { oneOf: [{ const: 'owned', title: '自有住房', 'x-title-en': 'Own home' }] }
    expect(inWords(field, 'owned', 'en')).toBe('Own home')
    expect(inWords(field, undefined, 'zh-CN')).toBe('—')
    expect(inWords({ type: 'integer', 'x-unit': '月' }, 0, 'zh-CN')).toBe('0 月')
  })
})
