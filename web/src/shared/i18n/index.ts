import { createI18n } from 'vue-i18n'
import { watch } from 'vue'
import { prefs, type Language } from '@/shared/prefs'
import zh from './zh-CN.json'

type Messages = typeof zh
type Words = Record<Language, () => Promise<object>>
const shared: Words = {
  'zh-CN': async () => zh,
  en: async () => (await import('./en.json')).default,
}
/** What one page says beside what all say, so that a phone does not carry the desk's words. */
let own: Words | undefined

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as Language,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh } as Record<string, Messages>,
})

export async function addWords(words: Words): Promise<void> {
  own = words
  // Whatever a language lacks is said in Chinese.
  i18n.global.mergeLocaleMessage('zh-CN', (await words['zh-CN']()) as Messages)
}

const known = new Set<Language>(['zh-CN'])
export async function useLanguage(language: Language) {
  if (!known.has(language)) {
    for (const words of [shared, own]) if (words) i18n.global.mergeLocaleMessage(language, (await words[language]()) as Messages)
    known.add(language)
  }
  i18n.global.locale.value = language
}
watch(() => prefs.language, useLanguage)
