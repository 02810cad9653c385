import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { RailwayAccount } from '~/api/kinds';
import { accounts } from '~/api/resource';
import type { Snapshot } from '~/live/snapshot';
import { useLive } from '~/live/useLive';
import { useScope } from '~/session/scope';
import { classes } from '~/ui/classes';
import { toneDot, type Tone } from '~/ui/tone';
import { tightest } from './budget';
import type { Group } from './health';
import type { Search } from './search';

const shown: readonly { group: Group; label: string; tone: Tone }[] = [
  { group: 'ready', label: 'Ready', tone: 'healthy' },
  { group: 'progressing', label: 'Progressing', tone: 'info' },
  { group: 'drifted', label: 'Drifted', tone: 'warning' },
  { group: 'failing', label: 'Failing', tone: 'danger' },
];

function budgetOf(snapshot: Snapshot<RailwayAccount>) {
  const found = tightest(snapshot.objects.values());
  // As text: two equal budgets are the same, and nothing is drawn anew.
  return found ? `${found.left}/${found.total}` : '';
}

/** The numbers that people look for first; each is also a filter. */
export function Strip({ counts, search }: { counts: Record<Group, number> | undefined; search: Search }) {
  const [left, total] = useLive({ resource: accounts, namespace: useScope() }, budgetOf).split('/').map(Number);
  const all = counts ? Object.values(counts).reduce((sum, one) => sum + one, 0) : 0;
  return (
    <div className="mb-5 grid grid-cols-2 gap-2.5 sm:grid-cols-4 xl:grid-cols-[repeat(4,1fr)_1.5fr]">
      {shown.map(({ group, label, tone }) => {
        const isChosen = search.status === group;
        return (
          <Link
            key={group}
            to="/"
            search={{ ...search, status: isChosen ? undefined : group }}
            aria-current={isChosen ? 'true' : undefined}
            className={classes('panel sheen block px-4 py-3', isChosen && 'border-primary')}
          >
            <Figure value={counts ? String(counts[group]) : '–'}>
              <span className={classes('size-2 rounded-full', toneDot[tone])} aria-hidden />
              {label}
            </Figure>
            <Bar part={counts && all > 0 ? counts[group] / all : 0} look={toneDot[tone]} />
          </Link>
        );
      })}
      <div className="panel col-span-2 px-4 py-3 sm:col-span-4 xl:col-span-1">
        <Figure value={total ? (left ?? 0).toLocaleString() : '–'} of={total ? `of ${total.toLocaleString()}` : 'not known yet'}>
          Railway requests left this hour
        </Figure>
        <Bar
          part={total ? (left ?? 0) / total : 0}
          look={total && (left ?? 0) / total < 0.15 ? 'bg-warning-dot' : 'bg-accent'}
        />
      </div>
    </div>
  );
}

function Figure({ value, of, children }: { value: string; of?: string; children: ReactNode }) {
  return (
    <>
      <div className="flex items-center gap-1.5 text-[13px] text-ink-soft">{children}</div>
      <div className="mt-0.5 flex items-baseline gap-1.5">
        <span className="text-[22px] leading-7 font-semibold tracking-tight tabular-nums">{value}</span>
        {of && <span className="text-[13px] text-ink-soft">{of}</span>}
      </div>
    </>
  );
}

/** How much of all it is. */
function Bar({ part, look }: { part: number; look: string }) {
  return (
    <div className="mt-2 h-1 overflow-hidden rounded-full bg-inset-strong" aria-hidden>
      <div
        className={classes('h-full rounded-full transition-[width] duration-500', look)}
        style={{ width: `${part * 100}%` }}
      />
    </div>
  );
}
