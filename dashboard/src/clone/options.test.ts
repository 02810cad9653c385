import { expect, it } from 'vitest';
import { environment } from '~/environments/environment.fixture';
import { optionsOf, others, proposed, servicesOf, telling } from './options';

const shop = environment('shop', {
  spec: { services: { web: {}, gone: null } },
  status: { services: { web: { state: 'Ready' }, worker: { state: 'Ready' } } } as never,
});

it('a copy is asked for with what was typed, and nothing else', () => {
  expect(optionsOf(proposed(shop))).toEqual({ name: 'shop-copy' });
  const wish = { name: ' twin ', type: 'dev', ttl: ' 3d ', without: ['web'], isKept: true, isForced: true } as const;
  expect(optionsOf(wish)).toEqual({ name: 'twin', type: 'dev', ttl: '3d', exclude: ['web'], onFailure: 'keep', force: true });
});

it('a proposed name is never longer than a name may be', () => {
  expect(proposed(environment('a'.repeat(63))).name).toHaveLength(63);
});

it('services of a template can be left out too, and what the spec leaves out cannot', () => {
  expect(servicesOf(shop)).toEqual(['web', 'worker']);
});

it('what stays the same goes without saying', () => {
  const difference = [{ path: 'ttl', change: 'new', to: '3d' }, { path: 'services.web', change: 'unchanged' }] as const;
  expect(telling(difference).map(({ path }) => path)).toEqual(['ttl']);
});

it('a refusal stands beside its field, and the others together', () => {
  const refusals = [{ field: 'name', message: 'taken' }, { field: 'exclude', message: 'none' }];
  expect(others(refusals, ['name'])).toEqual([refusals[1]]);
});
