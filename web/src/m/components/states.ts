/** How a state of a case is coloured; its word says the same. */
export const toneOf = (state: string) =>
  ({ approved: 'ok', closed: 'ok', denied: 'bad', refused: 'bad', correction_requested: 'warn', suspended: 'warn', draft: 'warn' })[state] ?? ''
