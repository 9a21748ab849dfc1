/** The lines and bars of the screen, as numbers: drawn by Vue as plain SVG, which takes no library and keeps nothing. */

/** The least "round" number that a scale can end at. */
export function roundUp(most: number): number {
  if (most <= 5) return 5
  const unit = 10 ** Math.floor(Math.log10(most))
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((each) => each * unit).find((each) => each >= most)!
}

/** Where a scale has its lines. */
export const steps = (top: number) => (top % 4 === 0 ? [0, 1, 2, 3, 4].map((part) => (top * part) / 4) : [0, top / 5, (2 * top) / 5, (3 * top) / 5, (4 * top) / 5, top])

/** The path of a line through these values, left to right; a value that is not known leaves a gap. */
export function linePath(values: (number | null)[], top: number, width: number, height: number): string {
  const step = width / Math.max(1, values.length - 1)
  let path = '', isDown = false
  values.forEach((value, place) => {
    if (value === null) { isDown = false; return }
    path += `${isDown ? 'L' : 'M'}${round(place * step)} ${round(height - (value / top) * height)}`
    isDown = true
  })
  return path
}
const round = (value: number) => Math.round(value * 10) / 10

/** 1234567 as 1,234,567, and thousands shortened for the side of a chart. */
export const grouped = (value: number) => value.toLocaleString('en-US')
export const short = (value: number) => (value >= 10_000 ? `${round(value / 1000)}k` : grouped(value))

const OLD_MS = 60_000
/** Whether figures are too old to be called live. */
export const isOld = (at: string, now: number) => now - Date.parse(at) > OLD_MS
