import type { ImportWish, RailwayEnvironment } from '~/api/railway';
import type { EnvironmentType } from '~/api/kinds';

/** Environments that are to be imported, by Railway's id, in the order in which they were chosen. */
export type Chosen = ReadonlyMap<string, RailwayEnvironment>;

/** What was asked of one of them, where it is not left to Mirage. */
export interface Wish {
  name?: string;
  type?: EnvironmentType;
}

export const nothing: Chosen = new Map();

/** Whether there is something to import. */
export function isImportable({ keeper, readable }: RailwayEnvironment): boolean {
  return keeper === 'external' && readable;
}

/** Takes them in, or out again. What cannot be imported is not taken in. Pure. */
export function choose(chosen: Chosen, environments: readonly RailwayEnvironment[], isTaken: boolean): Chosen {
  const next = new Map(chosen);
  for (const environment of environments) {
    if (!isTaken) next.delete(environment.railwayEnvironmentId);
    else if (isImportable(environment)) next.set(environment.railwayEnvironmentId, environment);
  }
  return next;
}

/** What is sent. Ids and not names: a project's name may be another's too. Pure. */
export function wishesOf(chosen: Chosen, wishes: Readonly<Record<string, Wish>>): ImportWish[] {
  return [...chosen.values()].map(({ railwayProjectId, railwayEnvironmentId }) => {
    const { name, type } = wishes[railwayEnvironmentId] ?? {};
    return {
      project: railwayProjectId,
      environment: railwayEnvironmentId,
      ...(name?.trim() ? { name: name.trim() } : {}),
      ...(type ? { type } : {}),
    };
  });
}
