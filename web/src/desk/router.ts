import { createRouter, createWebHistory } from 'vue-router'
import { mine } from './places'

export const router = createRouter({
  history: createWebHistory('/desk/'),
  routes: [
    { path: '/', redirect: () => mine()[0]?.to ?? '/cases' },
    { path: '/cases/:id?', component: () => import('./pages/Cases.vue'), props: true },
    { path: '/cross-province/:id?', component: () => import('./pages/CrossProvince.vue'), props: true },
    { path: '/enrolments', component: () => import('./pages/Enrolments.vue') },
    { path: '/health-appeals', component: () => import('./pages/HealthAppeals.vue') },
    { path: '/vaccination', component: () => import('./pages/VaccinationSlots.vue') },
    { path: '/recolouring', component: () => import('./pages/Recolouring.vue') },
    { path: '/terminals', component: () => import('./pages/Terminals.vue') },
    { path: '/certificates', component: () => import('./pages/Certificates.vue') },
    { path: '/afterwards', component: () => import('./pages/Afterwards.vue') },
    { path: '/benefit', component: () => import('./pages/Benefit.vue') },
    { path: '/campaigns', component: () => import('./pages/Campaigns.vue') },
    { path: '/settlements', component: () => import('./pages/Settlements.vue') },
    { path: '/errands', component: () => import('./pages/Errands.vue') },
    { path: '/errands/:id', component: () => import('./pages/Errand.vue'), props: true },
    { path: '/double-uses', component: () => import('./pages/DoubleUses.vue') },
    { path: '/retention', component: () => import('./pages/Retention.vue') },
    { path: '/matters', component: () => import('./pages/Matters.vue') },
    { path: '/people', component: () => import('./pages/People.vue') },
    { path: '/verifiers', component: () => import('./pages/Verifiers.vue') },
    { path: '/:nowhere(.*)', redirect: '/' },
  ],
})
