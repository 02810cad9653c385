import type { Environment } from '~/api/kinds';

/** An environment that says only what matters to a test. */
export function environment(
  name: string,
  {
    spec = {},
    status = {},
    metadata = {},
  }: {
    spec?: Partial<Environment['spec']>;
    status?: Partial<NonNullable<Environment['status']>>;
    metadata?: Partial<Environment['metadata']>;
  } = {},
): Environment {
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { ...spec } as Environment['spec'],
    status: { ...status } as NonNullable<Environment['status']>,
  };
}
