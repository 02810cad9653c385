import { describe, expect, it } from 'vitest';
import { problemOf } from '~/api/problem';
import { next } from './next';

const failed = (code: number) => ({ kind: 'failed' as const, problem: problemOf(code, '') });

describe('after a watch', () => {
  it('that the server closed, it goes on at once from where it was', () => {
    expect(next({ kind: 'closed' }, 0)).toEqual({ then: 'resume', after: 0, phase: 'live' });
  });

  it('that fell behind compaction, it lists anew', () => {
    expect(next({ kind: 'gone' }, 0).then).toBe('relist');
  });

  it('that failed, it says so and waits longer each time', () => {
    const first = next(failed(0), 1);
    const second = next(failed(0), 2);
    expect([first.then, first.phase]).toEqual(['resume', 'reconnecting']);
    expect(second.after).toBeGreaterThan(first.after);
  });

  it('that fails again and again, it polls', () => {
    expect(next(failed(0), 3)).toMatchObject({ then: 'relist', phase: 'polling' });
  });

  it.each([401, 403, 404])('that was refused with %i, it stops', (code) => {
    expect(next(failed(code), 1)).toMatchObject({ then: 'stop', phase: 'refused' });
  });
});
