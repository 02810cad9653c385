import { useSyncExternalStore } from 'react';

/** One clock for all that counts: a tick every second, and none while nobody looks. */
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    if (!document.hidden) for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** What `tell` says of the time; drawn anew only when it says something else. */
export function useClock(tell: (now: number) => string): string {
  return useSyncExternalStore(subscribe, () => tell(now));
}
