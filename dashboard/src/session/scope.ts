import { useSyncExternalStore } from 'react';

/** The one namespace that is looked at; nothing for all of them. Kept in this browser: rights do not change by the hour. */
const KEY = 'mirage.namespace';

const listeners = new Set<() => void>();

function read(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

let scope = read();

/** Looks at one namespace from now on, or at all. */
export function lookAt(namespace: string | undefined): void {
  scope = namespace;
  try {
    if (namespace) localStorage.setItem(KEY, namespace);
    else localStorage.removeItem(KEY);
  } catch {
    // For this page only.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useScope(): string | undefined {
  return useSyncExternalStore(subscribe, () => scope);
}
