import type { Environment, EnvironmentType } from '~/api/kinds';

/** The type that applies; `dev` when neither the spec nor a template that we can see says one. */
export function typeOf(environment: Environment): EnvironmentType {
  return environment.spec.type ?? 'dev';
}

export function projectOf(environment: Environment): string {
  return environment.status?.railway?.projectName ?? environment.spec.project?.name ?? environment.spec.project?.id ?? '';
}

/** Who answers for it: a label or annotation that says so, else the object that made it. */
export function ownerOf(environment: Environment): string {
  const { labels = {}, annotations = {}, ownerReferences = [] } = environment.metadata;
  const owner = labels['owner'] ?? labels['mirage.dev/owner'] ?? annotations['mirage.dev/owner'];
  return owner ?? ownerReferences[0]?.name ?? '';
}

/** Services that are up, of all: from status, and before there is one, none of the declared ones. */
export function servicesOf(environment: Environment): { up: number; total: number } {
  const [up, total] = (environment.status?.servicesReady ?? '').split('/').map(Number);
  if (up !== undefined && total !== undefined && !Number.isNaN(total)) return { up, total };
  const declared = Object.values(environment.spec.services ?? {}).filter((service) => service !== null);
  return { up: 0, total: declared.length };
}

/** Whether its Railway environment outlives it. */
export function isRetainedAtTheEnd(environment: Environment): boolean {
  return (environment.status?.deletion ?? environment.spec.deletion) === 'retain';
}

/** Of what the links and menus go by. */
export interface Place {
  namespace: string;
  name: string;
}

export function placeOf(environment: Environment): Place {
  return { namespace: environment.metadata.namespace ?? 'default', name: environment.metadata.name };
}

/** An address as people read it. */
export function hostOf(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** Only what a browser may be sent to: a status is text from elsewhere. */
export function safeUrl(url: string | null | undefined): string | undefined {
  return url && /^https?:\/\//i.test(url) ? url : undefined;
}
