import type { ReactNode } from 'react';
import { classes } from './classes';
import { toneDot, toneText, toneTint, type Tone } from './tone';

/** A dot and a word: never colour alone. */
export function Status({ tone, word, isMoving }: { tone: Tone; word: string; isMoving?: boolean }) {
  return (
    <span className={classes('inline-flex items-center gap-1.5 text-[13px] font-medium', toneText[tone])}>
      <span className={classes('size-2 rounded-full', toneDot[tone], isMoving && 'animate-breathe')} aria-hidden />
      {word}
    </span>
  );
}

/** A small mark on tinted ground. */
export function Mark({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className={classes(
        'inline-flex h-[22px] items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap',
        toneTint[tone],
      )}
    >
      {children}
    </span>
  );
}
