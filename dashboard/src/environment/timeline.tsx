import { useState } from 'react';
import type { Environment, Event } from '~/api/kinds';
import { events } from '~/api/resource';
import { useLive, whole } from '~/live/useLive';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Panel } from '~/ui/panel';
import { Age } from '~/ui/time';

const FIRST = 8;

/** When it happened last: a repeated event is one object that counts. */
function timeOf(event: Event): string {
  return event.series?.lastObservedTime ?? event.eventTime ?? event.metadata.creationTimestamp;
}

/** The story of an environment, newest first. */
export function Timeline({ environment }: { environment: Environment }) {
  const { name, namespace, uid } = environment.metadata;
  const { objects } = useLive({ resource: events, namespace, fieldSelector: `regarding.name=${name}` }, whole<Event>);
  const [isAll, setAll] = useState(false);
  const found = [...objects.values()]
    .filter((event) => event.regarding?.uid === uid)
    .sort((one, other) => timeOf(other).localeCompare(timeOf(one)));
  const shown = isAll ? found : found.slice(0, FIRST);
  return (
    <Panel title="Events" note="What Mirage did and saw, newest first.">
      {found.length === 0 && <p className="text-ink-soft">No events yet; they are kept for an hour.</p>}
      <ol className="relative space-y-3 before:absolute before:top-2 before:bottom-2 before:left-[5px] before:w-px before:bg-line-strong">
        {shown.map((event) => (
          <li key={event.metadata.uid} className="relative pl-6">
            <span
              aria-hidden
              className={classes(
                'absolute top-1.5 left-0 size-[11px] rounded-full border-2 border-panel-solid',
                event.type === 'Warning' ? 'bg-warning-dot' : 'bg-accent',
              )}
            />
            <div className="flex flex-wrap items-baseline gap-x-2">
              <span className={classes('font-medium', event.type === 'Warning' && 'text-warning')}>{event.reason}</span>
              {(event.series?.count ?? 1) > 1 && <span className="text-xs text-ink-soft">× {event.series?.count}</span>}
              <span className="ml-auto text-xs text-ink-soft">
                <Age since={timeOf(event)} suffix=" ago" />
              </span>
            </div>
            <p className="line-clamp-4 break-words text-ink-soft">{event.note}</p>
          </li>
        ))}
      </ol>
      {found.length > FIRST && (
        <Button look="quiet" size="small" className="mt-3" onClick={() => setAll(!isAll)}>
          {isAll ? 'Show fewer' : `Show all ${found.length}`}
        </Button>
      )}
    </Panel>
  );
}
