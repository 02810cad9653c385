import { expect, it } from 'vitest';
import type { Environment } from '~/api/kinds';
import { environment } from '~/environments/environment.fixture';
import { announcements } from './announcements';

const of = (...all: Environment[]) => new Map(all.map((one) => [one.metadata.uid, one]));
const shop = (phase: string) => environment('shop', { status: { phase } });

it('an environment that comes to stand somewhere new is told of, and the way there is not', () => {
  expect(announcements(of(shop('Progressing')), of(shop('Ready')))).toMatchObject([{ title: 'shop is ready' }]);
  expect(announcements(of(shop('Provisioning')), of(shop('Progressing')))).toEqual([]);
  expect(announcements(of(shop('Ready')), of(shop('Ready')))).toEqual([]);
});

it('what was there when the page was opened is no news', () => {
  expect(announcements(of(), of(shop('Degraded')))).toEqual([]);
});

it('the end of a teardown is told of', () => {
  const leaving = environment('shop', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
  expect(announcements(of(leaving), of())).toMatchObject([{ title: 'shop is gone' }]);
});

it('much at once is not told of one by one', () => {
  const some = (phase: string) => of(...['a', 'b', 'c', 'd'].map((name) => environment(name, { status: { phase } })));
  expect(announcements(some('Progressing'), some('Ready'))).toEqual([]);
});
