import type { Environment } from '~/api/kinds';
import { written } from '~/ui/duration';

/** The change of `spec` that lets an environment live longer, and until when that is. */
export interface Extension {
  spec: { ttl: string; expiresAt?: null } | { expiresAt: string; ttl?: null };
  until: Date;
}

/**
 * Prolongs by so many seconds, counted from its present end, or from now when it has none or is past it. `ttl` counts
 * from the creation; a spec that says `expiresAt` gets a later one. Pure.
 */
export function extended(environment: Environment, seconds: number, now: Date): Extension {
  const end = Date.parse(environment.status?.expiresAt ?? environment.spec.expiresAt ?? '');
  const from = Number.isNaN(end) ? now.getTime() : Math.max(end, now.getTime());
  // Whole seconds: a time with a fraction of one is a different text each time.
  const until = new Date(Math.ceil((from + seconds * 1000) / 1000) * 1000);
  if (environment.spec.expiresAt) {
    return { spec: { expiresAt: until.toISOString().replace('.000Z', 'Z') }, until };
  }
  const lived = (until.getTime() - Date.parse(environment.metadata.creationTimestamp)) / 1000;
  return { spec: { ttl: written(lived) }, until };
}

/** Seconds left, and the part of its life that is over; `undefined` for what never ends. */
export function lifetime(environment: Environment, now: number): { left: number; part: number } | undefined {
  const end = Date.parse(environment.status?.expiresAt ?? '');
  if (Number.isNaN(end)) return undefined;
  const born = Date.parse(environment.metadata.creationTimestamp);
  const part = Math.min(1, Math.max(0, (now - born) / Math.max(1, end - born)));
  return { left: (end - now) / 1000, part };
}
