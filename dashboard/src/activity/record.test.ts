import { expect, it } from 'vitest';
import { isOfSpec, sentenceOf, valueText, type Record } from './record';

const record = (some: Partial<Record>): Record => ({
  auditId: 'a',
  sequence: 1,
  time: '2026-01-01T00:00:00Z',
  user: { name: 'ada' },
  verb: 'patch',
  resource: 'environments.mirage.dev',
  name: 'shop',
  from: {},
  outcome: { code: 200 },
  ...some,
});

it('a record reads as a sentence', () => {
  expect(sentenceOf(record({}))).toBe('changed environment shop');
  expect(sentenceOf(record({ verb: 'delete', outcome: { code: 403 } }))).toBe('was refused: delete environment shop');
  expect(sentenceOf(record({ effect: 'created' }))).toBe('made environment shop');
  expect(sentenceOf(record({ subresource: 'status' }))).toBe('changed the status of environment shop');
});

it('a generation is what changed the spec', () => {
  expect(isOfSpec(record({ changes: [{ path: 'spec.ttl', after: '1d' }] }))).toBe(true);
  expect(isOfSpec(record({ effect: 'created' }))).toBe(true);
  expect(isOfSpec(record({ changes: [{ path: 'status.phase' }] }))).toBe(false);
});

it('values are shown as they are, also those that are not there', () => {
  expect([undefined, 'a', 3, null, { a: 1 }].map(valueText)).toEqual(['nothing', 'a', '3', 'null', '{"a":1}']);
});
