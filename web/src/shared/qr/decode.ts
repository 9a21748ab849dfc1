import wasmUrl from 'zxing-wasm/reader/zxing_reader.wasm?url'

/** Reads QR codes off the main thread with zxing; the worker and its wasm are loaded at the first use. */
let worker: Worker | undefined
let last = 0
const waiting = new Map<number, (text: string | null) => void>()

function started(): Worker {
  if (!worker) {
    worker = new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }: MessageEvent<{ id: number; text: string | null }>) => {
      waiting.get(data.id)?.(data.text)
      waiting.delete(data.id)
    }
  }
  return worker
}

/** The text of a QR code in these pixels, or null; `hard` takes longer and finds more. */
export function decodePixels(image: ImageData, hard = false): Promise<string | null> {
  const id = ++last
  return new Promise((done) => {
    waiting.set(id, done)
    started().postMessage({ id, image, hard }, [image.data.buffer])
  })
}

const MOST_PIXELS = 2400

/** The text of a QR code in a picture from the album, or null. */
export async function decodeFile(file: Blob): Promise<string | null> {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, MOST_PIXELS / Math.max(bitmap.width, bitmap.height))
  const canvas = Object.assign(document.createElement('canvas'), { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) })
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  return decodePixels(context.getImageData(0, 0, canvas.width, canvas.height), true)
}

/** The middle square of a video, which is what the viewfinder shows, as pixels. */
export function grabFrame(video: HTMLVideoElement, canvas: HTMLCanvasElement): ImageData | null {
  const side = Math.min(video.videoWidth, video.videoHeight)
  if (!side) return null
  canvas.width = canvas.height = Math.min(side, 720)
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, canvas.width, canvas.height)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

/** What a browser must have kept to read codes without a network, beside the scripts. */
export const readerFiles = [wasmUrl]
