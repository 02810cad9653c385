import { expect, it } from 'vitest';
import { originWords } from './origin';

it('an origin names what it comes from', () => {
  expect(originWords({ layer: 'environment' }).word).toBe('here');
  expect(originWords({ layer: 'templateType', type: 'dev' }).word).toBe('template, dev');
  expect(originWords({ layer: 'inherited', from: 'spec.source' }).word).toBe('from spec.source');
  expect(originWords({ layer: 'engine', engine: 'postgres' }).word).toBe('of postgres');
});
