/** Where to go after signing in: only a path of this very site, whatever somebody put into the link. */
export function nextPath(wish: string | null, otherwise: string): string {
  if (!wish || !wish.startsWith('/') || wish.startsWith('//') || wish.includes('\\')) return otherwise;
  const url = new URL(wish, 'http://here.invalid');
  return url.host === 'here.invalid' ? url.pathname + url.search + url.hash : otherwise;
}

/** What stands behind `#name=` in a link. Secrets travel there, because the part behind # reaches no server log. */
export function fragmentValue(hash: string, name: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get(name);
}
