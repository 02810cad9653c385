import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { previewText } from './preview';

it('only what comes from the new Secret is made up', () => {
  const text = 'a: {secretRef: {name: shop-variables, key: A}}\nb: {secretRef: {name: other, key: B}}\nc: [1]\n';
  expect(parse(previewText(text, 'shop-variables'))).toEqual({
    a: { generate: { length: 32 } },
    b: { secretRef: { name: 'other', key: 'B' } },
    c: [1],
  });
  expect(previewText('a: [', 'x')).toBe('a: [');
});
