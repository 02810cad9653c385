import { expect, it } from 'vitest';
import type { Condition } from '~/api/kinds';
import { nextStep } from '~/environment/next-step';
import { environment } from './environment.fixture';
import { healthOf, reasonOf } from './health';

const waiting = (reason: string) => {
  const condition = { type: 'Synced', status: 'False', reason, message: '', lastTransitionTime: '' } as Condition;
  return environment('shop', { status: { phase: 'Waiting', conditions: [condition] } });
};

it('a wait for a person is told from one that ends by itself', () => {
  expect(healthOf(waiting('AwaitingApproval')).group).toBe('waiting');
  expect(healthOf(waiting('RateLimitedUntil'))).toMatchObject({ group: 'progressing', word: 'Waiting' });
  expect(nextStep(waiting('AwaitingApproval'))).toContain('approve');
  expect(nextStep(waiting('RateLimitedUntil'))).toBeUndefined();
});

it('what the server did not say is not guessed', () => {
  expect(healthOf(environment('shop', { status: { phase: 'Unknown' } })).group).toBe('unknown');
  expect(healthOf(environment('shop', { status: { phase: 'Levitating' } }))).toMatchObject({
    group: 'unknown',
    word: 'Levitating',
  });
  expect(healthOf(environment('shop')).word).toBe('Pending');
});

it('a wait is told by what it waits for, and not by what is missing meanwhile', () => {
  const conditions = [
    { type: 'Ready', status: 'False', reason: 'RateLimitedUntil', message: 'web is pending' },
    { type: 'Synced', status: 'False', reason: 'RateLimitedUntil', message: 'one project per 30 s' },
  ] as Condition[];
  expect(reasonOf(environment('shop', { status: { phase: 'Waiting', conditions } }))).toBe('one project per 30 s');
});
