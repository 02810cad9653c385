import type { CopyOptions, Difference, Obstacle } from '~/api/clone';
import type { Environment, EnvironmentType } from '~/api/kinds';

/** What is typed about a copy. */
export interface Wish {
  name: string;
  type: EnvironmentType | '';
  ttl: string;
  /** Services that it does without. */
  without: readonly string[];
  /** Whether it stays when it does not come up. */
  isKept: boolean;
  /** Whether a source that is not healthy is copied all the same. */
  isForced: boolean;
}

/** What is proposed of a copy of this environment. Pure. */
export function proposed(environment: Environment): Wish {
  const name = `${environment.metadata.name.slice(0, 58)}-copy`;
  return { name, type: '', ttl: '', without: [], isKept: false, isForced: false };
}

/** The services that can be left out: what it declares, and what a template gave it. Pure. */
export function servicesOf({ spec, status }: Environment): string[] {
  const declared = Object.entries(spec.services ?? {}).flatMap(([name, service]) => (service === null ? [] : name));
  return [...new Set([...declared, ...Object.keys(status?.services ?? {})])].sort();
}

/** What is sent. Pure. */
export function optionsOf({ name, type, ttl, without, isKept, isForced }: Wish): CopyOptions {
  return {
    name: name.trim(),
    ...(type ? { type } : {}),
    ...(ttl.trim() ? { ttl: ttl.trim() } : {}),
    ...(without.length > 0 ? { exclude: [...without] } : {}),
    ...(isKept ? { onFailure: 'keep' } : {}),
    ...(isForced ? { force: true } : {}),
  };
}

/** What there is to read of a difference: what stays the same goes without saying. Pure. */
export function telling(difference: readonly Difference[]): Difference[] {
  return difference.filter(({ change }) => change !== 'unchanged');
}

/** Refusals that no field of the page shows beside itself. Pure. */
export function others(refusals: readonly Obstacle[], fields: readonly string[]): Obstacle[] {
  return refusals.filter(({ field }) => !fields.includes(field));
}
