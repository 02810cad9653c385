import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { EnvironmentSpec } from '~/api/kinds';
import { environment } from '~/environments/environment.fixture';
import { cloneText } from './clone';

it('a clone leaves out what only one environment can have', () => {
  const spec = {
    name: 'production',
    type: 'prod',
    expiresAt: '2026-01-01T00:00:00Z',
    services: { web: { domains: [{ name: 'shop.example' }, { port: 80 }] }, api: { domains: [{ name: 'a.example' }] } },
  } as unknown as EnvironmentSpec;
  const shop = environment('shop', { spec });
  expect(parse(cloneText(shop))).toEqual({
    apiVersion: 'mirage.dev/v1alpha1',
    kind: 'Environment',
    metadata: { name: 'shop-copy' },
    spec: { type: 'prod', services: { web: { domains: [{ port: 80 }] }, api: {} } },
  });
  expect(shop.spec.name).toBe('production');
});
