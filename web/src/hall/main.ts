import './hall.css'
import { createApp } from 'vue'
import { i18n, useLanguage } from '@/shared/i18n'
import { prefs } from '@/shared/prefs'
import App from './App.vue'

void useLanguage(prefs.language).then(() => createApp(App).use(i18n).mount('#app'))
