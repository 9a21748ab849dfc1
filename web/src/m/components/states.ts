/** How a state of a case is coloured; its word says the same. */
export const toneOf = (state: string) =>
  ({ approved: 'ok', closed: 'ok', denied: 'bad', refused: 'bad', correction_requested: 'warn', suspended: 'warn', draft: 'warn' })[state] ?? ''
/** The same of a case between two provinces. */
export const crossTone = (state: string) =>
  ({ delivered: 'ok', result_returned: 'ok', refused: 'bad', returned: 'bad', correction_requested: 'warn' })[state] ?? ''

/** Working days left of a case, in words. */
export function leftSaid(t: (key: string, values: { n: number }) => string, left: number): string {
  if (left < 0) return t('case.overdue', { n: -left })
  return left ? t('case.left', { n: left }) : t('case.today', { n: left })
}

/** Outcomes that somebody decided: of these there is a written decision. */
export const hasDecision = (outcome: string | null) => ['approved', 'denied', 'refused', 'terminated'].includes(outcome ?? '')
