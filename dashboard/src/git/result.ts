import type { GitSync } from '~/api/kinds';
import type { Tone } from '~/ui/tone';

export type SyncedObject = NonNullable<NonNullable<GitSync['status']>['objects']>[number];

/** What a phase means. */
export function phaseTone(phase: string): Tone {
  switch (phase) {
    case 'Synced':
      return 'healthy';
    case 'Pending':
    case 'DryRun':
      return 'info';
    case 'Drifted':
      return 'warning';
    case 'Failing':
      return 'danger';
    default:
      return 'idle';
  }
}

/** What became of an object. */
export function resultTone(result: SyncedObject['result']): Tone {
  switch (result) {
    case 'Synced':
      return 'healthy';
    case 'Drifted':
    case 'Conflict':
      return 'warning';
    case 'Invalid':
    case 'Refused':
      return 'danger';
    case 'Unknown':
    case 'Kept':
      return 'idle';
    default:
      return 'info';
  }
}

/** Objects under their files, the files in order; what no file declares comes last. Pure. */
export function byFile(objects: readonly SyncedObject[]): [string, SyncedObject[]][] {
  const found = new Map<string, SyncedObject[]>();
  for (const object of objects) {
    const file = object.file ?? '';
    const there = found.get(file);
    if (there) there.push(object);
    else found.set(file, [object]);
  }
  return [...found].sort(([one], [other]) => (one === '' ? 1 : other === '' ? -1 : one.localeCompare(other)));
}
