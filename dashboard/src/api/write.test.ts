import { expect, it } from 'vitest';
import { warningsOf } from './write';

it('reads every warning, with its quotes', () => {
  expect(warningsOf('299 - "create service web", 299 - "set \\"a\\""')).toEqual(['create service web', 'set "a"']);
  expect(warningsOf(null)).toEqual([]);
});
