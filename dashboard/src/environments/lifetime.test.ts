import { describe, expect, it } from 'vitest';
import { environment } from './environment.fixture';
import { extended, lifetime } from './lifetime';

const DAY = 86_400;
const now = new Date('2026-01-02T00:00:00Z');

describe('an extension', () => {
  it('counts from the present end, in the time since the creation', () => {
    const shop = environment('shop', { spec: { ttl: '3d' }, status: { expiresAt: '2026-01-04T00:00:00Z' } });
    expect(extended(shop, DAY, now)).toEqual({ spec: { ttl: '4d' }, until: new Date('2026-01-05T00:00:00Z') });
  });

  it('counts from now for what had no end, or is past it', () => {
    expect(extended(environment('shop'), DAY, now).spec).toEqual({ ttl: '2d' });
    const late = environment('shop', { status: { expiresAt: '2026-01-01T12:00:00Z' } });
    expect(extended(late, DAY, now).spec).toEqual({ ttl: '2d' });
  });

  it('stays an end where the spec says one', () => {
    const shop = environment('shop', { spec: { expiresAt: '2026-01-04T00:00:00Z' } });
    expect(extended(shop, DAY, now).spec).toEqual({ expiresAt: '2026-01-05T00:00:00Z' });
  });
});

it('what never ends has no lifetime', () => {
  expect(lifetime(environment('shop'), now.getTime())).toBeUndefined();
  const half = environment('shop', { status: { expiresAt: '2026-01-03T00:00:00Z' } });
  expect(lifetime(half, now.getTime())).toEqual({ left: DAY, part: 0.5 });
});
