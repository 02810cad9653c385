import { useSyncExternalStore } from 'react';
import { open, whenSignedOut } from '~/api/request';
import { restartFeeds } from '~/live/useLive';

/** Where we stand with the server. The token itself is never kept here: the browser holds a cookie we cannot read. */
export type Session = 'in' | 'out';

const SESSION = '/api/v1/session';

let session: Session = 'in';
const listeners = new Set<() => void>();

function become(next: Session): void {
  if (session === next) return;
  session = next;
  for (const listener of listeners) listener();
}

whenSignedOut(() => become('out'));

/** Exchanges a token for a session cookie. Fails with `signed-out` when the token is not good. */
export async function signIn(token: string): Promise<void> {
  await open(SESSION, { method: 'POST', body: { token } });
  become('in');
  restartFeeds();
}

/** Ends the session at the server, for good. */
export async function signOut(): Promise<void> {
  await open(SESSION, { method: 'DELETE' });
  become('out');
}

/** The token of a link such as `/#token=mir_…`. It stands behind the `#`, which browsers do not send to servers. */
export function tokenOf(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? undefined;
}

/** Signs in by the link that opened the page, and takes the token out of the address and the history at once. */
export async function signInByLink(): Promise<void> {
  const token = tokenOf(location.hash);
  if (!token) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  try {
    await signIn(token);
  } catch {
    become('out');
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}
