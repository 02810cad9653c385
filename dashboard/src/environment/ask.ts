import type { Environment } from '~/api/kinds';
import { approve, retry } from '~/environments/actions';
import { condition, healthOf } from '~/environments/health';

/** Reasons why Mirage has stopped, and goes on when it is asked to try again. */
const stopping = new Set(['Fighting', 'TemplateHalted', 'RolloutHalted', 'RolledBack']);

/** What a person can do about an environment that does not go on by itself. */
export type Ask = { kind: 'approve'; hash: string } | { kind: 'retry' };

/** The ask of an environment; nothing where it goes on by itself. Pure. */
export function askOf(environment: Environment): Ask | undefined {
  if (environment.metadata.deletionTimestamp) return undefined;
  const hash = environment.status?.plan?.hash;
  if (condition(environment, 'Synced')?.reason === 'AwaitingApproval' && hash) return { kind: 'approve', hash };
  const hasStopped = environment.status?.conditions?.some((one) => stopping.has(one.reason));
  return hasStopped || healthOf(environment).group === 'failing' ? { kind: 'retry' } : undefined;
}

/** Does what is asked. One request, safe to repeat. */
export function answer(environment: Environment, ask: Ask): Promise<unknown> {
  return ask.kind === 'approve' ? approve(environment, ask.hash) : retry(environment);
}

/** What is told once it was done. Pure. */
export function answered(environment: Environment, ask: Ask): string {
  const { name } = environment.metadata;
  return ask.kind === 'approve' ? `${name}: plan ${ask.hash} approved` : `${name} is tried again`;
}
