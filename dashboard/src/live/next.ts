import type { Problem } from '~/api/problem';
import type { Phase } from './snapshot';

/** How a watch ended. */
export type Ended =
  /** The server closed it in its own time, as it does with every watch. */
  | { kind: 'closed' }
  /** What we have seen last is older than what the server remembers (410). */
  | { kind: 'gone' }
  | { kind: 'failed'; problem: Problem };

/** What to do then. */
export interface Step {
  then: 'resume' | 'relist' | 'stop';
  /** Milliseconds to wait before. */
  after: number;
  /** What to show meanwhile. */
  phase: Phase;
}

/** So many failures in a row, and we no longer believe that a stream can be had. */
const STREAMS_TRIED = 3;

/** How often the list is asked for without a stream. */
export const POLL_MS = 5_000;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Decides how to go on. `failures` is how many watches in a row failed, this one included. Pure. */
export function next(ended: Ended, failures: number): Step {
  switch (ended.kind) {
    case 'closed':
      return { then: 'resume', after: 0, phase: 'live' };
    case 'gone':
      return { then: 'relist', after: 0, phase: 'live' };
    case 'failed': {
      const { kind } = ended.problem;
      if (kind === 'forbidden' || kind === 'signed-out' || kind === 'missing') {
        return { then: 'stop', after: 0, phase: 'refused' };
      }
      if (failures >= STREAMS_TRIED) return { then: 'relist', after: POLL_MS, phase: 'polling' };
      const after = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
      return { then: 'resume', after, phase: 'reconnecting' };
    }
  }
}
