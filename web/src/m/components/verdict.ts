/** What a verification came to, as the person at the gate is shown it, whoever judged. */
export const COLOURS = ['green', 'yellow', 'red', 'grey'] as const
export type Colour = (typeof COLOURS)[number]

export interface Verdict {
  outcome: string
  reason: string
  advice?: string | null
  holder?: string
  certificate?: string
  /** What the code says beside: of a certificate, a voucher, a health code. */
  claims: Record<string, unknown>
  isOffline: boolean
}

/** Of a good health code; the code of somebody ill is as genuine as another. */
export const colourOf = (verdict: Verdict): Colour | undefined =>
  verdict.outcome === 'valid' ? COLOURS.find((each) => each === verdict.claims.colour) : undefined

/** Whether whoever shows it may go on: a good code, and of health codes a green one. Source: docs/domain.md §5. */
export const isGood = (verdict: Verdict) => verdict.outcome === 'valid' && (colourOf(verdict) ?? 'green') === 'green'

const WAITS = ['consent_pending', 'expired', 'already_used']
export function toneOf(verdict: Verdict): 'ok' | 'warn' | 'bad' {
  if (isGood(verdict)) return 'ok'
  const colour = colourOf(verdict)
  if (colour) return colour === 'red' ? 'bad' : 'warn'
  return WAITS.includes(verdict.outcome) ? 'warn' : 'bad'
}
