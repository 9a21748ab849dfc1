/** What a person chose for this device: theme, 长辈版, size of text, language. Nothing personal. */
import { reactive, watch } from 'vue'

export type Language = 'zh-CN' | 'en'
interface Prefs { theme: 'auto' | 'light' | 'dark'; elder: boolean; size: number; language: Language }

const KEY = 'haiyiban.prefs'
const system = matchMedia('(prefers-color-scheme: dark)')

function kept(): Partial<Prefs> {
  try { return JSON.parse(localStorage.getItem(KEY) ?? '{}') } catch { return {} }
}
const first: Language = navigator.language.startsWith('zh') ? 'zh-CN' : 'en'
const UNCHOSEN: Prefs = { theme: 'auto', elder: false, size: 100, language: first }
export const prefs = reactive<Prefs>({ ...UNCHOSEN, ...kept() })

function apply() {
  const isDark = prefs.theme === 'dark' || (prefs.theme === 'auto' && system.matches)
  const root = document.documentElement
  root.dataset.theme = isDark ? 'dark' : 'light'
  root.classList.toggle('elder', prefs.elder)
  root.style.fontSize = prefs.size === 100 ? '' : `${((prefs.elder ? 22 : 16) * prefs.size) / 100}px`
  root.lang = prefs.language
}
apply()
system.addEventListener('change', apply)
// What is chosen in one tab holds in all of them.
window.addEventListener('storage', ({ key }) => { if (key === KEY) Object.assign(prefs, UNCHOSEN, kept()) })
watch(prefs, () => {
  apply()
  try { localStorage.setItem(KEY, JSON.stringify(prefs)) } catch { /* private mode: for this visit only */ }
})
