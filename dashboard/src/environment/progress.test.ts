import { expect, it } from 'vitest';
import type { EnvironmentStatus } from '~/api/kinds';
import { environment } from '~/environments/environment.fixture';
import { percentOf, progressOf } from './progress';

it('an environment on its way shows what is made, what is being made and what comes', () => {
  const status = {
    phase: 'Progressing',
    ledger: [
      { kind: 'Project', name: 'shop', state: 'Made', intendedAt: '', railwayId: 'p' },
      { kind: 'Environment', name: 'shop', state: 'Intended', intendedAt: '' },
      { kind: 'Service', name: 'web', state: 'Made', intendedAt: '' },
    ],
    services: { web: { state: 'Deploying', deploymentStatus: 'BUILDING' }, db: { state: 'Ready' } },
    plan: {
      hash: 'a',
      requests: 1,
      actions: [
        { target: 'x', verb: 'create', sentence: 'web: add a domain', reason: 'Missing', destroys: false, deploys: false },
      ],
    },
  } as unknown as EnvironmentStatus;
  const steps = progressOf(environment('shop', { status }));
  expect(steps.map((step) => `${step.label}: ${step.state}`)).toEqual([
    'Project shop: done',
    'Environment shop: doing',
    'web: doing',
    'db: done',
    'web: add a domain: coming',
  ]);
  expect(steps[2]?.note).toBe('building');
  expect(percentOf(steps)).toBe(40);
});

it('a plan that waits for a person says so at every step', () => {
  const action = { target: 'x', verb: 'delete', sentence: 'delete web', reason: 'NoLongerDeclared' };
  const status = { phase: 'Waiting', plan: { hash: 'a', actions: [action] } } as unknown as EnvironmentStatus;
  expect(progressOf(environment('shop', { status }))[0]?.state).toBe('waiting');
});
