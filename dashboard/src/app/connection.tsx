import type { Environment } from '~/api/kinds';
import { usePart } from '~/environments/useEnvironments';
import type { Phase, Snapshot } from '~/live/snapshot';
import { restartFeeds } from '~/live/useLive';
import { classes } from '~/ui/classes';
import { toneDot, toneText, type Tone } from '~/ui/tone';

const words: Record<Phase, { word: string; tone: Tone; says: string }> = {
  loading: { word: 'Connecting', tone: 'info', says: 'The first answer has not come yet.' },
  live: { word: 'Live', tone: 'healthy', says: 'Changes are shown as they happen.' },
  reconnecting: { word: 'Reconnecting', tone: 'warning', says: 'The server does not answer. What you see may be old.' },
  polling: { word: 'Reconnecting, polling', tone: 'warning', says: 'No stream can be had; the list is read every few seconds.' },
  refused: { word: 'Not allowed', tone: 'danger', says: 'The server refuses to show environments to you.' },
};

const phaseOf = (snapshot: Snapshot<Environment>): Phase => snapshot.phase;

/** How we stand with the server, for whoever wonders whether what they see is true. */
export function Connection() {
  const phase = usePart(phaseOf);
  const { word, tone, says } = words[phase];
  const isBroken = phase !== 'live' && phase !== 'loading';
  return (
    <button
      type="button"
      role="status"
      title={says}
      disabled={!isBroken}
      onClick={restartFeeds}
      className={classes(
        'inline-flex h-8 cursor-default items-center gap-2 rounded-full px-2.5 text-[13px] font-medium',
        isBroken && 'cursor-pointer bg-warning-tint',
        toneText[tone],
      )}
    >
      <span className={classes('size-2 rounded-full', toneDot[tone], isBroken && 'animate-breathe')} aria-hidden />
      {word}
    </button>
  );
}
