import { nextTick } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { openSheets } from '@/shared/ui/sheets'

// Heard before the router hears of it. A way back, unlike a link, is tried once more from where one stayed.
let isWayBack = false
window.addEventListener('popstate', () => {
  isWayBack = true
  setTimeout(() => { isWayBack = false })
}, { capture: true })

export const router = createRouter({
  history: createWebHistory('/m/'),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/', component: () => import('./pages/Home.vue'), meta: { tab: true } },
    { path: '/search', component: () => import('./pages/Search.vue') },
    { path: '/matters/:code', component: () => import('./pages/Matter.vue'), props: true },
    { path: '/cases', component: () => import('./pages/Cases.vue'), meta: { tab: true } },
    { path: '/cases/track', component: () => import('./pages/Track.vue') },
    { path: '/cases/:id', component: () => import('./pages/Case.vue'), props: true },
    { path: '/cases/:id/form', component: () => import('./pages/Application.vue'), props: true },
    { path: '/codes', component: () => import('./pages/Codes.vue'), meta: { tab: true } },
    { path: '/certificates/:id', component: () => import('./pages/Certificate.vue'), props: true },
    { path: '/me', component: () => import('./pages/Me.vue'), meta: { tab: true } },
    { path: '/me/settings', component: () => import('./pages/Settings.vue') },
    { path: '/me/devices', component: () => import('./pages/Devices.vue') },
    { path: '/me/access-log', component: () => import('./pages/AccessLog.vue') },
    { path: '/me/delegations', component: () => import('./pages/Delegations.vue') },
    { path: '/me/delegations/new', component: () => import('./pages/DelegationNew.vue') },
    { path: '/enterprises', component: () => import('./pages/Enterprises.vue') },
    { path: '/enterprises/:id', component: () => import('./pages/Enterprise.vue'), props: true },
    { path: '/schools', component: () => import('./pages/Schools.vue') },
    { path: '/duty-free/orders', component: () => import('./pages/Orders.vue') },
    { path: '/duty-free', component: () => import('./pages/DutyFree.vue') },
    { path: '/health', component: () => import('./pages/Health.vue') },
    { path: '/health/children', component: () => import('./pages/HealthChildren.vue') },
    { path: '/health/children/:child', component: () => import('./pages/HealthChild.vue'), props: true },
    { path: '/health/declare', component: () => import('./pages/HealthDeclare.vue') },
    { path: '/health/appeals', component: () => import('./pages/HealthAppeals.vue') },
    { path: '/health/vaccination', component: () => import('./pages/HealthVaccination.vue') },
    { path: '/health/checks', component: () => import('./pages/HealthChecks.vue') },
    { path: '/unemployment', component: () => import('./pages/Unemployment.vue') },
    { path: '/cross-province', component: () => import('./pages/CrossProvince.vue') },
    { path: '/cross-province/medical', component: () => import('./pages/Medical.vue') },
    { path: '/cross-province/new/:division/:code', component: () => import('./pages/CrossApply.vue'), props: true },
    { path: '/cross-province/cases/:id', component: () => import('./pages/CrossCase.vue'), props: true },
    { path: '/cross-province/cases/:id/form', component: () => import('./pages/CrossApply.vue'), props: true },
    { path: '/verify', component: () => import('./pages/Verify.vue') },
    { path: '/:nowhere(.*)', component: () => import('./pages/Nowhere.vue') },
  ],
})

// Back on a phone closes what lies on top, as people expect of it, and loses nothing of the page below.
router.beforeEach(() => {
  const close = isWayBack && openSheets.at(-1)
  if (!close) return true
  close()
  return false
})

// A screen reader is told where it is now, as it is by a page that was loaded.
router.afterEach((_to, from) => {
  if (from.matched.length) void nextTick(() => document.querySelector<HTMLElement>('h1')?.focus())
})
