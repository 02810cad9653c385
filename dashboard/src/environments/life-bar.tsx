import { Hourglass } from 'lucide-react';
import type { Environment } from '~/api/kinds';
import { classes } from '~/ui/classes';
import { useClock } from '~/ui/clock';
import { Countdown } from '~/ui/time';
import { lifetime } from './lifetime';

const SOON_SECONDS = 3600;

/** How long it still lives, in words. */
export function TimeLeft({ environment }: { environment: Environment }) {
  const until = environment.status?.expiresAt;
  const isSoon = useClock((now) => ((lifetime(environment, now)?.left ?? Infinity) < SOON_SECONDS ? 'soon' : '')) !== '';
  if (!until) return null;
  return (
    <span className={classes('inline-flex items-center gap-1', isSoon ? 'font-medium text-warning' : 'text-ink-soft')}>
      <Hourglass className="size-3.5" aria-hidden />
      <Countdown until={until} />
    </span>
  );
}
