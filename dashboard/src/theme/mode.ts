import { useSyncExternalStore } from 'react';

/** What a person chose; `system` follows the system as it changes. */
export type Mode = 'system' | 'light' | 'dark';

const KEY = 'mirage.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function read(): Mode {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system';
  }
}

let mode = read();

function apply(): void {
  const isDark = mode === 'dark' || (mode === 'system' && system.matches);
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

system.addEventListener('change', apply);

/** Chooses, for this browser. */
export function choose(chosen: Mode): void {
  mode = chosen;
  try {
    if (chosen === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
  } catch {
    // Kept for this page only.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useMode(): Mode {
  return useSyncExternalStore(subscribe, () => mode);
}

export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, () => document.documentElement.dataset['theme'] === 'dark');
}
