import type { Condition, Environment } from '~/api/kinds';
import type { Tone } from '~/ui/tone';

/** Where an environment belongs among the counts. */
export type Group = 'ready' | 'progressing' | 'drifted' | 'failing' | 'waiting' | 'suspended' | 'unknown';

export interface Health {
  group: Group;
  tone: Tone;
  word: string;
  /** Whether it is on its way somewhere. */
  isMoving: boolean;
}

const byPhase: Record<string, Omit<Health, 'word'>> = {
  Ready: { group: 'ready', tone: 'healthy', isMoving: false },
  Drifted: { group: 'drifted', tone: 'warning', isMoving: false },
  Degraded: { group: 'failing', tone: 'danger', isMoving: false },
  Failed: { group: 'failing', tone: 'danger', isMoving: false },
  Waiting: { group: 'waiting', tone: 'warning', isMoving: false },
  Suspended: { group: 'suspended', tone: 'idle', isMoving: false },
  Pending: { group: 'progressing', tone: 'info', isMoving: true },
  Provisioning: { group: 'progressing', tone: 'info', isMoving: true },
  Updating: { group: 'progressing', tone: 'info', isMoving: true },
  Progressing: { group: 'progressing', tone: 'info', isMoving: true },
  Unknown: { group: 'unknown', tone: 'idle', isMoving: false },
};

export const groups: readonly { value: Group; label: string }[] = [
  { value: 'ready', label: 'Ready' },
  { value: 'progressing', label: 'Progressing' },
  { value: 'drifted', label: 'Drifted' },
  { value: 'failing', label: 'Failing' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'suspended', label: 'Suspended' },
  { value: 'unknown', label: 'Unknown' },
];

/** An environment in one word. What the server did not say is not guessed. */
export function healthOf(environment: Environment): Health {
  if (environment.metadata.deletionTimestamp) {
    return { group: 'progressing', tone: 'idle', word: 'Deleting', isMoving: true };
  }
  const phase = environment.status?.phase;
  if (!phase) return { group: 'progressing', tone: 'info', word: 'Pending', isMoving: true };
  if (phase === 'Waiting' && !needsSomeone(environment)) {
    return { group: 'progressing', tone: 'info', word: phase, isMoving: true };
  }
  const known = byPhase[phase];
  return known ? { ...known, word: phase } : { group: 'unknown', tone: 'idle', word: phase, isMoving: false };
}

/** Reasons for a wait that only a person can end (docs/reference/conditions.md has them all). */
const someone = new Set([
  'AwaitingApproval',
  'WaitingForTemplate',
  'TemplateHalted',
  'RolloutHalted',
  'RolledBack',
  'WaitingForSecret',
  'SecretStoreUnavailable',
  'CopySourceMissing',
  'Unauthorized',
  'AccountNotReady',
  'InvalidSpec',
  'RailwayRefused',
  'ApplyFailed',
  'UnsupportedByRailway',
  'ProjectMissing',
  'ImportDiffers',
  'ImportMissing',
]);

function needsSomeone(environment: Environment): boolean {
  return (environment.status?.conditions ?? []).some(({ reason }) => someone.has(reason));
}

export function condition(environment: Environment, type: string): Condition | undefined {
  return environment.status?.conditions?.find((one) => one.type === type);
}

export function isDrifted(environment: Environment): boolean {
  return condition(environment, 'Drifted')?.status === 'True';
}

/** The one sentence that says why it is not ready; nothing when it is. */
export function reasonOf(environment: Environment): string | undefined {
  const said = (type: string, status: string) => {
    const found = condition(environment, type);
    return found?.status === status ? found.message : undefined;
  };
  const { group, word } = healthOf(environment);
  if (group === 'ready') return undefined;
  if (group === 'drifted') return said('Drifted', 'True');
  if (group === 'failing') return said('Degraded', 'True') ?? said('Ready', 'False');
  // What it waits for stands there; `Ready` only says what is missing meanwhile.
  if (word === 'Waiting') return said('Synced', 'False') ?? said('Ready', 'False');
  return said('Ready', 'False') ?? said('Ready', 'Unknown');
}
