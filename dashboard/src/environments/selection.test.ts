import { describe, expect, it } from 'vitest';
import { environment } from './environment.fixture';
import { searchOf } from './search';
import { byProject, count, select } from './selection';

const shop = environment('shop', { spec: { type: 'prod', project: { name: 'acme' } }, status: { phase: 'Ready' } });
const blog = environment('blog', {
  spec: { type: 'dev' },
  status: { phase: 'Degraded', expiresAt: '2026-02-01T00:00:00Z' },
  metadata: { labels: { owner: 'ada', team: 'web' } },
});
const tenth = environment('pr-10', { status: { phase: 'Drifted' } });
const second = environment('pr-2', { status: { phase: 'Ready', expiresAt: '2026-01-09T00:00:00Z' } });
const all = [shop, blog, tenth, second];

const names = (raw: Record<string, unknown>) => select(all, searchOf(raw)).map((found) => found.metadata.name);

describe('a selection', () => {
  it('is in the order of names, with numbers as numbers', () => {
    expect(names({})).toEqual(['blog', 'pr-2', 'pr-10', 'shop']);
  });

  it.each([
    [{ type: 'prod' }, ['shop']],
    [{ status: 'failing' }, ['blog']],
    [{ project: 'acme' }, ['shop']],
    [{ owner: 'ada' }, ['blog']],
    [{ label: 'team' }, ['blog']],
    [{ label: 'team=web' }, ['blog']],
    [{ label: 'team=api' }, []],
    [{ q: 'PR' }, ['pr-2', 'pr-10']],
    [{ q: 'acme shop' }, ['shop']],
  ])('by %j', (raw, expected) => {
    expect(names(raw)).toEqual(expected);
  });

  it('puts first what needs someone, and what ends first', () => {
    expect(names({ sort: 'status' })).toEqual(['blog', 'pr-10', 'pr-2', 'shop']);
    expect(names({ sort: 'expiry' })).toEqual(['pr-2', 'blog', 'pr-10', 'shop']);
  });

  it('reads nothing from an address that it does not understand', () => {
    expect(names({ type: 'x', status: 7, sort: 'size' })).toHaveLength(4);
  });
});

it('projects come by name, and what has none comes last', () => {
  expect(byProject(all).map(([project]) => project)).toEqual(['acme', '']);
});

it('every environment is counted once', () => {
  expect(count(all)).toMatchObject({ ready: 2, failing: 1, drifted: 1 });
});
