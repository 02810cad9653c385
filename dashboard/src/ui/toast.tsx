import { X } from 'lucide-react';
import { Toast as Radix } from 'radix-ui';
import { useSyncExternalStore } from 'react';
import { classes } from './classes';
import { toneDot, type Tone } from './tone';

interface Told {
  id: number;
  tone: Tone;
  title: string;
  text?: string | undefined;
}

let shown: readonly Told[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

/** More than these at once nobody reads. */
const MOST = 3;

function set(changed: readonly Told[]): void {
  shown = changed;
  for (const listener of listeners) listener();
}

/** Tells of a change of state, in the corner. */
export function toast(tone: Tone, title: string, text?: string): void {
  set([...shown.slice(-(MOST - 1)), { id: nextId++, tone, title, text }]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const toasts = useSyncExternalStore(subscribe, () => shown);
  return (
    <Radix.Provider duration={6000} swipeDirection="right">
      {toasts.map((told) => (
        <Radix.Root
          key={told.id}
          onOpenChange={(isOpen) => !isOpen && set(shown.filter((other) => other.id !== told.id))}
          className="flex animate-rise items-start gap-3 rounded-xl border border-line bg-panel-solid p-3.5 shadow-high"
        >
          <span className={classes('mt-1.5 size-2 shrink-0 rounded-full', toneDot[told.tone])} aria-hidden />
          <div className="min-w-0 grow">
            <Radix.Title className="font-medium break-words">{told.title}</Radix.Title>
            {told.text && <Radix.Description className="line-clamp-3 break-words text-ink-soft">{told.text}</Radix.Description>}
          </div>
          <Radix.Close aria-label="Dismiss" className="rounded p-0.5 text-ink-soft hover:text-ink">
            <X className="size-4" aria-hidden />
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="fixed right-3 bottom-20 z-60 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2 outline-none lg:bottom-4" />
    </Radix.Provider>
  );
}
