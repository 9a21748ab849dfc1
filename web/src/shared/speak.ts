/** Reading a page aloud, by the phone's own voice. */
import { prefs } from './prefs'

export const canSpeak = 'speechSynthesis' in window

/** What a person sees in the main part: no pictures, no buttons, each thing once. */
export function textOf(main: Element): string {
  const spoken = [...main.querySelectorAll('h2, h3, p, li, dt, dd, label, legend, [role=status], [role=alert]')]
    .filter((each) => !each.closest('[aria-hidden=true], button, nav, .sr') && !each.querySelector('h2, h3, p, li, dt, dd, label, legend') && (each as HTMLElement).offsetParent)
  return spoken.map((each) => (each as HTMLElement).innerText.replace(/\s+/g, ' ').trim()).filter(Boolean).join(prefs.language === 'en' ? '. ' : '。')
}

export function speak(text: string, onEnd: () => void) {
  speechSynthesis.cancel()
  const said = Object.assign(new SpeechSynthesisUtterance(text), { lang: prefs.language, rate: 0.9, onend: onEnd, onerror: onEnd })
  speechSynthesis.speak(said)
}
