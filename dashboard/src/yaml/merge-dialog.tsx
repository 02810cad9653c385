import { useMemo, useState } from 'react';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Dialog } from '~/ui/dialog';
import { isConflict, merge, settled, type Side } from './merge';

interface Props {
  mine: string;
  base: string;
  theirs: string;
  onMerged: (text: string) => void;
  onClose: () => void;
}

/** Someone else saved first: both changes, side by side, and an answer for each place where they meet. */
export function MergeDialog({ mine, base, theirs, onMerged, onClose }: Props) {
  const regions = useMemo(() => merge(mine, base, theirs), [mine, base, theirs]);
  const conflicts = regions.filter(isConflict);
  const [answers, setAnswers] = useState<(Side | undefined)[]>([]);
  const text = settled(regions, answers);
  const answer = (index: number, side: Side) => {
    const next = [...answers];
    next[index] = side;
    setAnswers(next);
  };

  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title="Someone else changed it meanwhile"
      note={
        conflicts.length === 0
          ? 'Your changes and theirs do not touch each other. Both are taken.'
          : `You both changed ${conflicts.length === 1 ? 'one place' : `${conflicts.length} places`}. Everything else is taken from whoever changed it.`
      }
      footer={
        <>
          <Button onClick={onClose}>Back to my text</Button>
          <Button look="primary" disabled={text === undefined} onClick={() => text !== undefined && onMerged(text)}>
            Use the merged text
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {conflicts.map((conflict, index) => (
          <fieldset key={index} className="grid gap-2 sm:grid-cols-2">
            <legend className="mb-1 text-[13px] text-ink-soft">
              It was <code className="font-mono">{conflict.base.join(' ⏎ ').trim() || '(nothing)'}</code>
            </legend>
            {(['mine', 'theirs'] as const).map((side) => (
              <label
                key={side}
                className={classes(
                  'block cursor-pointer rounded-xl border p-3',
                  answers[index] === side ? 'border-primary bg-primary-tint' : 'border-line-strong',
                )}
              >
                <span className="flex items-center gap-2 font-medium">
                  <input
                    type="radio"
                    name={`conflict-${index}`}
                    checked={answers[index] === side}
                    onChange={() => answer(index, side)}
                    className="accent-(--primary)"
                  />
                  {side === 'mine' ? 'Mine' : 'Theirs'}
                </span>
                <pre className="mt-2 overflow-x-auto font-mono text-[13px]">{conflict[side].join('\n') || '(nothing)'}</pre>
              </label>
            ))}
          </fieldset>
        ))}
        {text !== undefined && (
          <details open={conflicts.length === 0}>
            <summary className="font-medium">The merged text</summary>
            <pre className="mt-2 max-h-72 overflow-auto rounded-lg bg-inset p-3 font-mono text-[13px]">{text}</pre>
          </details>
        )}
      </div>
    </Dialog>
  );
}
