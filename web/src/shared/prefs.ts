/** What a person chose for this device: theme, 长辈版, language. Nothing personal. */
import { reactive, watch } from 'vue'

export type Language = 'zh-CN' | 'en'
interface Prefs { theme: 'auto' | 'light' | 'dark'; elder: boolean; language: Language }

const KEY = 'haiyiban.prefs'
const system = matchMedia('(prefers-color-scheme: dark)')

function kept(): Partial<Prefs> {
  try { return JSON.parse(localStorage.getItem(KEY) ?? '{}') } catch { return {} }
}
const first: Language = navigator.language.startsWith('zh') ? 'zh-CN' : 'en'
export const prefs = reactive<Prefs>({ theme: 'auto', elder: false, language: first, ...kept() })

function apply() {
  const isDark = prefs.theme === 'dark' || (prefs.theme === 'auto' && system.matches)
  const root = document.documentElement
  root.dataset.theme = isDark ? 'dark' : 'light'
  root.classList.toggle('elder', prefs.elder)
  root.lang = prefs.language
}
apply()
system.addEventListener('change', apply)
watch(prefs, () => {
  apply()
  try { localStorage.setItem(KEY, JSON.stringify(prefs)) } catch { /* private mode: for this visit only */ }
})
