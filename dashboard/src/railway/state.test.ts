import { describe, expect, it } from 'vitest';
import type { ImportItem, ImportOperation, RailwayEnvironment } from '~/api/railway';
import { choose, nothing, wishesOf } from './choice';
import { stateOf, together } from './state';

function environment(id: string, of: Partial<RailwayEnvironment> = {}): RailwayEnvironment {
  return {
    railwayEnvironmentId: id,
    railwayProjectId: 'p',
    name: id,
    projectName: 'shop',
    createdAt: '2026-01-01T00:00:00Z',
    dashboardUrl: '',
    keeper: 'external',
    readable: true,
    state: 'Ready',
    servicesReady: '2/2',
    unmergedChanges: 0,
    ...of,
  };
}

function item(id: string, of: Partial<ImportItem> = {}): ImportItem {
  return { state: 'waiting', project: 'shop', environment: id, railwayEnvironmentId: id, namespace: 'default', name: id, ...of };
}

function operation(items: ImportItem[]): ImportOperation {
  return { id: 'one', total: items.length, done: 0, items };
}

describe('what is on Railway', () => {
  it('is not called ready when there is nothing in it, or nothing to be seen', () => {
    expect(stateOf(environment('a')).word).toBe('Ready');
    expect(stateOf(environment('a', { servicesReady: '0/0' })).word).toBe('Empty');
    expect(stateOf(environment('a', { readable: false })).word).toBe('Not readable');
    expect(stateOf(environment('a', { servicesReady: '0/10', state: 'Failed' }))).toMatchObject({ word: 'Failed', tone: 'danger' });
  });

  it('is chosen only where it can be imported', () => {
    const all = [environment('a'), environment('b', { keeper: 'managed' }), environment('c', { readable: false })];
    const chosen = choose(nothing, all, true);
    expect([...chosen.keys()]).toEqual(['a']);
    expect([...choose(chosen, all, false).keys()]).toEqual([]);
  });

  it('is asked for by id, with a name and a type only where somebody gave them', () => {
    const chosen = choose(nothing, [environment('a'), environment('b')], true);
    expect(wishesOf(chosen, { a: { name: '  ' }, b: { name: ' web ', type: 'dev' } })).toEqual([
      { project: 'p', environment: 'a' },
      { project: 'p', environment: 'b', name: 'web', type: 'dev' },
    ]);
  });
});

describe('an import', () => {
  it('keeps what was refused at once beside the news of what was made', () => {
    const first = operation([
      item('a', { environmentId: 'ea', remarks: ['its region stays'] }),
      item('b', { state: 'refused', problems: [{ reason: 'NameTaken', message: 'there is one' }] }),
    ]);
    const newest = operation([item('a', { environmentId: 'ea', state: 'adopted' })]);
    const now = together(first, newest);
    expect(now?.items.map(({ state }) => state)).toEqual(['adopted', 'refused']);
    expect(now?.items[0]?.remarks).toEqual(['its region stays']);
    expect([now?.done, now?.total]).toEqual([2, 2]);
  });

  it('is told by what there is of it, after a reload and when nothing was made', () => {
    const some = operation([item('a')]);
    expect(together(undefined, some)).toBe(some);
    expect(together(some, undefined)).toBe(some);
    expect(together(undefined, undefined)).toBeUndefined();
  });
});
