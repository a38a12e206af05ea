// The blog's API, same site, same session: a cookie says who writes, a header that the form is ours.
import { reactive } from 'vue'

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.error ?? `The blog answered ${status}.`)
    this.status = status
    this.errors = body?.errors ?? {}
  }
}

export const session = reactive({
  user: null,
  csrf: '',
  known: null,

  /** Who is signed in; asked once. */
  load() {
    this.known ??= request('/api/session/').then((told) => this.take(told))
    return this.known
  },
  async signIn(username, password) {
    return this.take(await request('/api/session/', { method: 'POST', json: { username, password } }))
  },
  async signOut() {
    return this.take(await request('/api/session/', { method: 'DELETE' }))
  },
  take({ user, csrf }) {
    this.user = user
    this.csrf = csrf
    return this
  },
})

export function listPosts({ q = '', page = 1 } = {}) {
  return request(`/api/posts/?${new URLSearchParams({ ...(q && { q }), page })}`)
}

export function readPost(slug) {
  return request(`/api/posts/${encodeURIComponent(slug)}/`)
}

/** A post with its picture, as a form sends it. */
export async function writePost(fields) {
  await session.load()
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (value) form.append(name, value)
  }
  return request('/api/posts/', { method: 'POST', body: form })
}

async function request(path, { method = 'GET', json, body } = {}) {
  const headers = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRFToken'] = session.csrf
  if (json) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(json)
  }
  const response = await fetch(path, { method, headers, body, credentials: 'same-origin' })
  const told = response.headers.get('Content-Type')?.includes('json') ? await response.json() : null
  if (!response.ok) throw new ApiError(response.status, told)
  return told
}
