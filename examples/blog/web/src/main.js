import 'quasar/dist/quasar.css'
import './theme.css'

import { Loading, Notify, Quasar } from 'quasar'
import { createApp } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'

import App from './App.vue'
import { session } from './api.js'
import PostPage from './pages/PostPage.vue'
import PostsPage from './pages/PostsPage.vue'

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  scrollBehavior: (to, from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/', name: 'posts', component: PostsPage },
    { path: '/posts/:slug', name: 'post', component: PostPage, props: true },
    // Who only reads never loads these.
    { path: '/write', name: 'write', component: () => import('./pages/WritePage.vue'), meta: { author: true } },
    { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignInPage.vue') },
    { path: '/:anything(.*)*', name: 'lost', component: () => import('./pages/LostPage.vue') },
  ],
})

router.beforeEach(async (to) => {
  if (to.meta.author && !(await session.load()).user) {
    return { name: 'sign-in', query: { next: to.fullPath } }
  }
})
// A page that was open while a new version came: its old files may be gone, the new ones are a reload away.
router.onError((error, to) => {
  if (/dynamically imported module|Importing a module/.test(error.message)) {
    window.location.assign(router.resolve(to).href)
  }
})

createApp(App)
  .use(Quasar, { plugins: { Loading, Notify }, config: { dark: 'auto' } })
  .use(router)
  .mount('#app')
