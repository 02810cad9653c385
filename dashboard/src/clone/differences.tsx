import { Minus, Pencil, Plus } from 'lucide-react';
import type { Difference } from '~/api/clone';
import { classes } from '~/ui/classes';
import { telling } from './options';

const looks = {
  new: { icon: Plus, look: 'bg-healthy-tint text-healthy', word: 'new' },
  changed: { icon: Pencil, look: 'bg-info-tint text-info', word: 'changed' },
  removed: { icon: Minus, look: 'bg-danger-tint text-danger', word: 'left out' },
  unchanged: { icon: Pencil, look: 'bg-idle-tint text-idle', word: 'as it is' },
} as const;

/** A copy beside its source, without what is the same in both. */
export function Differences({ difference, notes }: { difference: readonly Difference[]; notes: readonly string[] }) {
  const told = telling(difference);
  const same = difference.length - told.length;
  return (
    <>
      <ul className="divide-y divide-line">
        {told.map(({ path, change, from, to }) => {
          const { icon: Icon, look, word } = looks[change];
          return (
            <li key={`${change} ${path}`} className="flex items-start gap-3 py-2 first:pt-0">
              <span className={classes('mt-0.5 inline-flex size-5 shrink-0 items-center justify-center rounded-md', look)}>
                <Icon className="size-3.5" aria-hidden />
              </span>
              <span className="min-w-0">
                <code className="font-mono text-[13px] break-all">{path}</code>{' '}
                <span className="text-[13px] text-ink-soft">{word}</span>
                {(from || to) && (
                  <span className="block text-[13px] break-words text-ink-soft">{[from, to].filter(Boolean).join(' → ')}</span>
                )}
              </span>
            </li>
          );
        })}
      </ul>
      <p className="mt-2 text-[13px] text-ink-soft">
        {told.length === 0 ? 'Everything is the same.' : `${same} ${same === 1 ? 'part is' : 'parts are'} the same.`}
      </p>
      {notes.length > 0 && (
        <ul className="mt-2 list-disc rounded-lg bg-inset py-2 pr-3 pl-7 text-[13px]" aria-label="Worth knowing">
          {notes.map((note) => (
            <li key={note} className="break-words">
              {note}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
