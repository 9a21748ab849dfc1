/** How far something is from here. The position is asked of the phone, used on it and sent nowhere. */

export interface Point { latitude: number; longitude: number }

const EARTH_METRES = 6_371_000
const radians = (degrees: number) => (degrees * Math.PI) / 180

/** Metres in a straight line. */
export function metresBetween(one: Point, other: Point): number {
  const north = radians(other.latitude - one.latitude)
  const east = radians(other.longitude - one.longitude)
  const chord = Math.sin(north / 2) ** 2 + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * Math.sin(east / 2) ** 2
  return 2 * EARTH_METRES * Math.asin(Math.sqrt(chord))
}

/** Rounded as far as a position is good: tens of metres, from a kilometre on hundreds. */
export function distanceSaid(metres: number): { unit: 'metres' | 'kilometres'; n: string } {
  const tens = Math.max(10, Math.round(metres / 10) * 10)
  return tens < 1000 ? { unit: 'metres', n: String(tens) } : { unit: 'kilometres', n: (metres / 1000).toFixed(1) }
}

export function whereAmI(): Promise<Point> {
  return new Promise((found, failed) => navigator.geolocation.getCurrentPosition(({ coords }) => found(coords), failed, { timeout: 10_000, maximumAge: 300_000 }))
}
