import { useClock } from './clock';
import { spoken } from './duration';

function exact(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** How long ago. */
export function Age({ since, suffix = '' }: { since: string; suffix?: string }) {
  const text = useClock((now) => spoken((now - Date.parse(since)) / 1000));
  return (
    <time dateTime={since} title={exact(since)} className="whitespace-nowrap tabular-nums">
      {text}
      {suffix}
    </time>
  );
}

/** How long until. */
export function Countdown({ until }: { until: string }) {
  const text = useClock((now) => {
    const left = (Date.parse(until) - now) / 1000;
    return left <= 0 ? 'due now' : `${spoken(left)} left`;
  });
  return (
    <time dateTime={until} title={exact(until)} className="whitespace-nowrap tabular-nums">
      {text}
    </time>
  );
}
