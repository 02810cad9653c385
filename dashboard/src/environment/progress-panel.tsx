import { Check, CircleDashed, CircleX, Hand } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Environment } from '~/api/kinds';
import { Spinner } from '~/ui/button';
import { Panel } from '~/ui/panel';
import { percentOf, progressOf, type StepState } from './progress';

const marks: Record<StepState, { icon: ReactNode; word: string }> = {
  done: { icon: <Check className="size-4 text-healthy" aria-hidden />, word: 'done' },
  doing: { icon: <Spinner />, word: 'under way' },
  coming: { icon: <CircleDashed className="size-4 text-ink-faint" aria-hidden />, word: 'to come' },
  waiting: { icon: <Hand className="size-4 text-warning" aria-hidden />, word: 'waits' },
  failed: { icon: <CircleX className="size-4 text-danger" aria-hidden />, word: 'failed' },
};

/** The reconcile as it happens: done, under way, to come. */
export function Progress({ environment }: { environment: Environment }) {
  const steps = progressOf(environment);
  const percent = percentOf(steps) ?? 0;
  return (
    <Panel
      title="Progress"
      note={percent === 100 ? 'All that is declared is there.' : 'What is done, under way and to come.'}
      aside={<span className="text-lg font-semibold tabular-nums">{percent}%</span>}
    >
      <div
        role="progressbar"
        aria-label="Progress"
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className="mb-3 h-1.5 overflow-hidden rounded-full bg-inset-strong"
      >
        <div
          className="h-full rounded-full bg-linear-to-r from-accent to-healthy-dot transition-[width] duration-500"
          style={{ width: `${percent}%` }}
        />
      </div>
      <ol className="space-y-1.5">
        {steps.map((step, index) => (
          <li key={index} className="flex items-start gap-2.5">
            <span className="mt-0.5 inline-flex size-4 shrink-0 items-center justify-center">{marks[step.state].icon}</span>
            <span className="sr-only">{marks[step.state].word}: </span>
            <span className="min-w-0 break-words">
              <span className="font-medium">{step.label}</span>
              {step.note && <span className="ml-2 text-[13px] text-ink-soft">{step.note}</span>}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
