import { expect, it } from 'vitest';
import type { EnvironmentTemplate } from '~/api/kinds';
import { over, traced } from './layers';

it('maps merge, lists replace, null takes away', () => {
  expect(over({ a: 1, b: { c: 1, d: [1] } }, { b: { d: [2], e: 3 }, a: null })).toEqual({ b: { c: 1, d: [2], e: 3 } });
});

it('every value knows its layer', () => {
  const template = {
    spec: { base: { ttl: '1d', variables: { A: '1', B: '1' } }, types: { dev: { variables: { B: '2' } } } },
  } as unknown as EnvironmentTemplate;
  const values = traced(template, 'dev', { variables: { C: '3' } });
  expect(values.map(({ path, from }) => `${path} ${from}`)).toEqual([
    'ttl base',
    'variables.A base',
    'variables.B type',
    'variables.C own',
  ]);
});
