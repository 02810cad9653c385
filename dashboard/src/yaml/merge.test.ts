import { expect, it } from 'vitest';
import { isConflict, merge, settled } from './merge';

const base = 'type: dev\nttl: 1d\nservices:\n  web: {}\n';

it('what only one side changed is taken from it', () => {
  const regions = merge(base.replace('1d', '2d'), base, base.replace('web: {}', 'web: {}\n  api: {}'));
  expect(regions.some(isConflict)).toBe(false);
  expect(settled(regions, [])).toBe('type: dev\nttl: 2d\nservices:\n  web: {}\n  api: {}\n');
});

it('what both changed waits for an answer', () => {
  const regions = merge(base.replace('1d', '2d'), base, base.replace('1d', '3d'));
  expect(regions.filter(isConflict)).toEqual([{ mine: ['ttl: 2d'], base: ['ttl: 1d'], theirs: ['ttl: 3d'] }]);
  expect(settled(regions, [])).toBeUndefined();
  expect(settled(regions, ['theirs'])).toBe(base.replace('1d', '3d'));
});

it('the same change on both sides is no conflict', () => {
  const both = base.replace('1d', '2d');
  expect(settled(merge(both, base, both), [])).toBe(both);
});
