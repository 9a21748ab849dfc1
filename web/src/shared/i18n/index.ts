import { createI18n } from 'vue-i18n'
import { watch } from 'vue'
import { prefs, type Language } from '@/shared/prefs'
import zh from './zh-CN.json'

type Messages = typeof zh
const loaders: Record<Language, () => Promise<Messages>> = {
  'zh-CN': async () => zh,
  en: async () => (await import('./en.json')).default,
}
export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as Language,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh } as Record<string, Messages>,
})

export async function useLanguage(language: Language) {
  if (!i18n.global.availableLocales.includes(language)) i18n.global.setLocaleMessage(language, await loaders[language]())
  i18n.global.locale.value = language
}
watch(() => prefs.language, useLanguage)
