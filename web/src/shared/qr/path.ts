import { encode } from 'uqr'

/** One SVG path of all dark modules: a few KB of DOM, sharp at any size. */
export function qrPath(text: string) {
  const { data, size } = encode(text, { ecc: 'M', border: 0 })
  let path = ''
  data.forEach((row, y) => {
    for (let x = 0; x < size; x++) {
      if (!row[x]) continue
      const from = x
      while (row[x + 1]) x++
      path += `M${from} ${y}h${x - from + 1}v1H${from}z`
    }
  })
  return { path, size }
}
