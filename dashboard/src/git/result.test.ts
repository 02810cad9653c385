import { expect, it } from 'vitest';
import { byFile, type SyncedObject } from './result';

it('objects stand under their files, and what has none comes last', () => {
  const object = (name: string, file?: string) => ({ kind: 'Environment', name, file, result: 'Synced' }) as SyncedObject;
  const files = byFile([object('gone'), object('b', 'z.yaml'), object('a', 'a.yaml'), object('c', 'z.yaml')]);
  expect(files.map(([file, some]) => [file, some.map(({ name }) => name)])).toEqual([
    ['a.yaml', ['a']],
    ['z.yaml', ['b', 'c']],
    ['', ['gone']],
  ]);
});
