/** Files on their way from a phone: pictures made small enough for a slow network, and written as base64. */

/** Pixels of the longer side: small print on an A4 page can be read. */
const SIDE = 2200
const QUALITY = 0.82

/** A picture no larger than it has to be; what is no picture, or is small already, as it is. */
export async function smaller(file: Blob): Promise<Blob> {
  if (!file.type.startsWith('image/')) return file
  let image: ImageBitmap
  try { image = await createImageBitmap(file, { imageOrientation: 'from-image' }) } catch { return file }
  const by = Math.min(1, SIDE / Math.max(image.width, image.height))
  const isPlain = file.type === 'image/jpeg' || file.type === 'image/png'
  if (by === 1 && isPlain && file.size < 600_000) return file
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(image.width * by)
  canvas.height = Math.round(image.height * by)
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  image.close()
  const drawn = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY))
  return drawn && (drawn.size < file.size || !isPlain) ? drawn : file
}

export async function base64Of(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}
