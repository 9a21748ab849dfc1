/** Two rising notes for good, one low one for anything else: a gate is heard, not only seen. */
let audio: AudioContext | undefined

export function chime(isGood: boolean) {
  try {
    audio ??= new AudioContext()
    ;(isGood ? [660, 990] : [220]).forEach((pitch, place) => note(audio!, pitch, place * 0.12, isGood ? 0.12 : 0.35))
  } catch { /* a browser without sound still shows the word */ }
}

function note(context: AudioContext, pitch: number, after: number, seconds: number) {
  const tone = context.createOscillator()
  const volume = context.createGain()
  tone.frequency.value = pitch
  volume.gain.value = 0.15
  tone.connect(volume).connect(context.destination)
  tone.start(context.currentTime + after)
  tone.stop(context.currentTime + after + seconds)
}
