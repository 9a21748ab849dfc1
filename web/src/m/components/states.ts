/** How a state of a case is coloured; its word says the same. */
export const toneOf = (state: string) =>
  ({ approved: 'ok', closed: 'ok', denied: 'bad', refused: 'bad', correction_requested: 'warn', suspended: 'warn', draft: 'warn' })[state] ?? ''
/** The same of a case between two provinces. */
export const crossTone = (state: string) =>
  ({ delivered: 'ok', result_returned: 'ok', refused: 'bad', returned: 'bad', correction_requested: 'warn' })[state] ?? ''
