import { expect, it, vi } from 'vitest';

vi.stubGlobal('document', { hidden: false, addEventListener: () => {} });
const { tokenOf } = await import('./session');

it('a link holds its token behind the #', () => {
  expect(tokenOf('#token=mir_abc')).toBe('mir_abc');
  expect(tokenOf('#other')).toBeUndefined();
  expect(tokenOf('')).toBeUndefined();
});
