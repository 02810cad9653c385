import type { Environment } from '~/api/kinds';
import { healthOf, reasonOf, type Group } from '~/environments/health';
import type { Tone } from '~/ui/tone';

export interface Announcement {
  tone: Tone;
  title: string;
  text?: string | undefined;
}

/** More changes at once than this are an event of their own, which the counts show better. */
const MOST = 3;

const worth: Partial<Record<Group, { tone: Tone; verb: string }>> = {
  ready: { tone: 'healthy', verb: 'is ready' },
  drifted: { tone: 'warning', verb: 'has drifted' },
  failing: { tone: 'danger', verb: 'is failing' },
  waiting: { tone: 'warning', verb: 'waits for someone' },
};

/**
 * What is worth telling a person who may be looking at something else: environments that have come to stand somewhere
 * new. Not how they got there, and not what was found when the page was opened. Pure.
 */
export function announcements(
  before: ReadonlyMap<string, Environment>,
  after: ReadonlyMap<string, Environment>,
): Announcement[] {
  const told: Announcement[] = [];
  for (const [uid, environment] of after) {
    const known = before.get(uid);
    if (!known || known === environment) continue;
    const { group } = healthOf(environment);
    const news = worth[group];
    if (!news || healthOf(known).group === group) continue;
    told.push({ tone: news.tone, title: `${environment.metadata.name} ${news.verb}`, text: reasonOf(environment) });
  }
  for (const [uid, environment] of before) {
    if (after.has(uid) || !environment.metadata.deletionTimestamp) continue;
    told.push({ tone: 'idle', title: `${environment.metadata.name} is gone` });
  }
  return told.length > MOST ? [] : told;
}
