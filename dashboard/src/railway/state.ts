import type { ImportItem, ImportOperation, ImportState, RailwayEnvironment } from '~/api/railway';
import { serviceTone } from '~/environment/service-tone';
import type { Tone } from '~/ui/tone';

export interface Shown {
  tone: Tone;
  word: string;
  isMoving: boolean;
}

/** An environment on Railway in one word. One that is empty, or closed to the credential, is not called ready. Pure. */
export function stateOf({ readable, servicesReady, state }: RailwayEnvironment): Shown {
  if (!readable) return { tone: 'idle', word: 'Not readable', isMoving: false };
  if (servicesReady.endsWith('/0')) return { tone: 'idle', word: 'Empty', isMoving: false };
  return { ...serviceTone(state), word: state };
}

const words: Record<ImportState, Shown> = {
  importable: { tone: 'healthy', word: 'Can be imported', isMoving: false },
  refused: { tone: 'danger', word: 'Cannot be imported', isMoving: false },
  managed: { tone: 'idle', word: 'Managed already', isMoving: false },
  waiting: { tone: 'info', word: 'Being taken over', isMoving: true },
  differs: { tone: 'warning', word: 'Differs, untouched', isMoving: false },
  adopted: { tone: 'healthy', word: 'Imported', isMoving: false },
};

/** How far one import is. */
export function importWords(state: ImportState): Shown {
  return words[state];
}

/** Whether nothing more happens by itself. */
function isSettled({ state }: ImportItem): boolean {
  return state !== 'waiting' && state !== 'importable';
}

/**
 * Everything that was asked for, as far as it is now: what was refused at once is told by the first answer alone, what
 * was made by the newest. Pure.
 */
export function together(first: ImportOperation | undefined, newest: ImportOperation | undefined): ImportOperation | undefined {
  if (!first || !newest) return newest ?? first;
  const now = new Map(newest.items.map((item) => [item.railwayEnvironmentId, item]));
  const items = first.items.map((item) => {
    const later = item.environmentId ? now.get(item.railwayEnvironmentId) : undefined;
    return later ? { ...later, remarks: item.remarks } : item;
  });
  return { ...newest, items, total: items.length, done: items.filter(isSettled).length };
}
