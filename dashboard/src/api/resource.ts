import type {
  Environment,
  EnvironmentTemplate,
  Event,
  GitSync,
  KubernetesObject,
  Orphan,
  PreviewPolicy,
  RailwayAccount,
  SecretStore,
  Token,
} from './kinds';

/** A resource of the API, and the type of what it holds. */
export interface Resource<T extends KubernetesObject> {
  group: string;
  version: string;
  plural: string;
  kind: string;
  isNamespaced: boolean;
  /** Only for the type; never set. */
  readonly holds?: T;
}

function resource<T extends KubernetesObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  isNamespaced = true,
): Resource<T> {
  return { group, version, plural, kind, isNamespaced };
}

export const environments = resource<Environment>('mirage.dev', 'v1alpha1', 'environments', 'Environment');
export const templates = resource<EnvironmentTemplate>(
  'mirage.dev',
  'v1alpha1',
  'environmenttemplates',
  'EnvironmentTemplate',
);
export const accounts = resource<RailwayAccount>('mirage.dev', 'v1alpha1', 'railwayaccounts', 'RailwayAccount');
export const orphans = resource<Orphan>('mirage.dev', 'v1alpha1', 'orphans', 'Orphan');
export const previewPolicies = resource<PreviewPolicy>('mirage.dev', 'v1alpha1', 'previewpolicies', 'PreviewPolicy');
export const gitSyncs = resource<GitSync>('mirage.dev', 'v1alpha1', 'gitsyncs', 'GitSync');
export const secretStores = resource<SecretStore>('mirage.dev', 'v1alpha1', 'secretstores', 'SecretStore');
/** Not stored: the right to browse what Railway has goes by this name. */
export const railwayProjects = resource<KubernetesObject>('mirage.dev', 'v1alpha1', 'railwayprojects', 'RailwayProject');
export const tokens = resource<Token>('auth.mirage.dev', 'v1alpha1', 'tokens', 'Token', false);
export const events = resource<Event>('events.k8s.io', 'v1', 'events', 'Event');

/** The path of a collection: of one namespace, or of all. */
export function collectionPath(of: Resource<KubernetesObject>, namespace?: string): string {
  const within = of.isNamespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `/apis/${of.group}/${of.version}${within}/${of.plural}`;
}

/** The path of one object. */
export function objectPath(of: Resource<KubernetesObject>, name: string, namespace?: string): string {
  return `${collectionPath(of, namespace)}/${encodeURIComponent(name)}`;
}
