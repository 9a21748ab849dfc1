/** How much time a case has left, in colour and in words. */
const SOON = 2

export function left(days: number | null | undefined, isOverdue = false): { tone: string; says: string; n: number } | undefined {
  if (days === null || days === undefined) return undefined
  if (days < 0 || isOverdue) return { tone: 'bad', says: days < 0 ? 'over' : 'justOver', n: -days }
  if (days === 0) return { tone: 'bad', says: 'today', n: 0 }
  return { tone: days <= SOON ? 'warn' : 'ok', says: 'days', n: days }
}
