/** Where each 市县 of Hainan has its tile: roughly as on the island, and no map. Others follow in their order. */
const PLACES: Record<string, [column: number, row: number]> = {
  469024: [2, 1], 469023: [3, 1], 460100: [4, 1], 469005: [5, 1],
  460400: [1, 2], 469022: [3, 2], 469021: [4, 2], 469002: [5, 2],
  469026: [1, 3], 469025: [2, 3], 469030: [3, 3], 469006: [5, 3],
  469007: [1, 4], 469001: [2, 4], 469029: [3, 4], 469028: [4, 4],
  469027: [2, 5], 460200: [3, 5], 460300: [5, 6],
}
export const placeOf = (division: string) => {
  const place = PLACES[division]
  return place ? { gridColumn: place[0], gridRow: place[1] } : {}
}

/** 白沙 for 白沙黎族自治县, Baisha for Baisha Li Autonomous County. */
export const shortName = (name: string) =>
  name.replace(/(黎族苗族自治县|黎族自治县|市|县)$/, '').replace(/ (Li |and |Miao )*(Autonomous )?(County|City)$/, '')
