import type { Condition, Environment } from '~/api/kinds';
import { classes } from '~/ui/classes';
import { Panel } from '~/ui/panel';
import { toneDot, type Tone } from '~/ui/tone';
import { Age } from '~/ui/time';

/** What each condition means when it is true. */
const good: Record<string, 'True' | 'False' | undefined> = {
  Ready: 'True',
  Synced: 'True',
  Progressing: undefined,
  Drifted: 'False',
  Degraded: 'False',
};

export function conditionTone({ type, status }: Condition): Tone {
  if (status === 'Unknown') return 'idle';
  if (type === 'Progressing') return status === 'True' ? 'info' : 'idle';
  const wanted = good[type];
  if (!wanted) return 'idle';
  if (status === wanted) return 'healthy';
  return type === 'Degraded' ? 'danger' : 'warning';
}

const order = ['Ready', 'Synced', 'Progressing', 'Drifted', 'Degraded'];

/** What is true of it, and why, in the server's own words. */
export function Conditions({ environment }: { environment: Environment }) {
  const conditions = [...(environment.status?.conditions ?? [])].sort(
    (one, other) => order.indexOf(one.type) - order.indexOf(other.type),
  );
  return (
    <Panel title="Conditions">
      {conditions.length === 0 && <p className="text-ink-soft">Mirage has not looked at it yet.</p>}
      <dl className="divide-y divide-line">
        {conditions.map((condition) => (
          <div key={condition.type} className="py-2.5 first:pt-0 last:pb-0">
            <dt className="flex items-center gap-2">
              <span className={classes('size-2 rounded-full', toneDot[conditionTone(condition)])} aria-hidden />
              <span className="font-medium">{condition.type}</span>
              <span className="text-[13px] text-ink-soft">
                {condition.status === 'True' ? 'yes' : condition.status === 'False' ? 'no' : 'unknown'} · {condition.reason}
              </span>
              <span className="ml-auto text-xs text-ink-soft">
                <Age since={condition.lastTransitionTime} />
              </span>
            </dt>
            <dd className="mt-0.5 pl-4 break-words text-ink-soft">{condition.message}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
