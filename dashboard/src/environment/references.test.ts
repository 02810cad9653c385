import { expect, it } from 'vitest';
import type { EnvironmentSpec } from '~/api/kinds';
import { edgesOf } from './references';

it('a service needs what it depends on and what its variables refer to', () => {
  const spec = {
    services: {
      web: { dependsOn: ['api'], variables: { API: 'http://${{api.HOST}}:${{ api.PORT }}', LEVEL: '${{shared.LEVEL}}' } },
      api: { variables: { URL: '${{postgres.DATABASE_URL}}', KEY: { generate: { length: 32 } } } },
      postgres: {},
      gone: null,
    },
  } as unknown as EnvironmentSpec;
  expect(edgesOf(spec)).toEqual([
    { from: 'web', to: 'api', variables: ['HOST', 'PORT'], isDeclared: true },
    { from: 'api', to: 'postgres', variables: ['DATABASE_URL'], isDeclared: false },
  ]);
});

it('what is no service here is no neighbour', () => {
  const spec = { services: { web: { dependsOn: ['elsewhere', 'web'] } } } as unknown as EnvironmentSpec;
  expect(edgesOf(spec)).toEqual([]);
});
