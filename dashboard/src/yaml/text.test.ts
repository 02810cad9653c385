import { expect, it } from 'vitest';
import { replaced, textOf } from './text';

const stored = {
  apiVersion: 'mirage.dev/v1alpha1',
  kind: 'Environment',
  metadata: {
    name: 'shop',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '7',
    creationTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['mirage.dev/railway'],
    annotations: { 'mirage.dev/retry': 'x', note: 'mine' },
  },
  spec: { type: 'dev' },
  status: { phase: 'Ready' },
};

it('a text has what its owner writes, and nothing of the server', () => {
  expect(textOf(stored)).toBe(
    'apiVersion: mirage.dev/v1alpha1\nkind: Environment\nmetadata:\n  name: shop\n  namespace: default\n  annotations:\n    note: mine\nspec:\n  type: dev\n',
  );
});

it('replacing keeps what the text does not speak of', () => {
  const text = textOf(stored).replace('type: dev', 'type: prod');
  expect(replaced(text, stored)).toMatchObject({
    metadata: {
      finalizers: ['mirage.dev/railway'],
      resourceVersion: '7',
      annotations: { 'mirage.dev/retry': 'x', note: 'mine' },
    },
    spec: { type: 'prod' },
    status: { phase: 'Ready' },
  });
});
