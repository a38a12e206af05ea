import { quasar, transformAssetUrls } from '@quasar/vite-plugin'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const django = process.env.BLOG_URL ?? 'http://127.0.0.1:8000'

export default defineConfig({
  base: '/app/',
  plugins: [vue({ template: { transformAssetUrls } }), quasar()],
  build: { outDir: 'dist/spa', target: 'es2022' },
  // `npm run dev` beside `manage.py runserver`: the browser sees one site, as it does behind the ingress.
  server: { proxy: { '/api': django, '/media': django, '/static': django } },
})
