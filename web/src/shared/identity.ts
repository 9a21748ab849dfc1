/** Going up a level in place: a page asks for what it needs and goes on where it was. */
import { reactive } from 'vue'
import { ask, Refusal } from './api'
import { level, session } from './session'

export type Level = 'L1' | 'L2' | 'L3'

interface Gate { wanted: Level | ''; isFresh: boolean; done: ((reached: boolean) => void) | null }
export const gate = reactive<Gate>({ wanted: '', isFresh: false, done: null })

/** Whether somebody at this level is here, after asking them for what is missing. */
export function needLevel(wanted: Level, isFresh = false): Promise<boolean> {
  if (!isFresh && session.me && level.value >= wanted) return Promise.resolve(true)
  return new Promise((done) => Object.assign(gate, { wanted, isFresh, done }))
}

export function leaveGate(reached: boolean) {
  const { done } = gate
  Object.assign(gate, { wanted: '', isFresh: false, done: null })
  done?.(reached)
}

/** Like `ask`; where the operation wants somebody, a higher level or a fresh face, that first. */
export async function askStepped<T>(call: Parameters<typeof ask<T>>[0]): Promise<T> {
  try { return await ask(call) } catch (error) {
    const wanted = asStepUp(error)
    if (!wanted || !(await needLevel(wanted.level, wanted.isFresh))) throw error
    return ask(call)
  }
}

function asStepUp(error: unknown): { level: Level; isFresh: boolean } | null {
  if (!(error instanceof Refusal)) return null
  if (error.status === 401) return { level: 'L1', isFresh: false }
  if (error.slug !== 'step-up-needed') return null
  return { level: (error.members.needs ?? 'L3') as Level, isFresh: error.members.faceWithinSeconds !== undefined }
}
