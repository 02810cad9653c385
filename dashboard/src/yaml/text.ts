import { parse, stringify } from 'yaml';
import type { KubernetesObject } from '~/api/kinds';

interface Written {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: { name?: unknown; namespace?: unknown; labels?: unknown; annotations?: unknown };
  spec?: unknown;
}

/** What Mirage's controllers and kubectl leave behind for themselves. */
const ownAnnotations = [
  'mirage.dev/approve',
  'mirage.dev/retry',
  'mirage.dev/redeploy',
  'mirage.dev/restart',
  'mirage.dev/wake-at',
  'kubectl.kubernetes.io/last-applied-configuration',
];

/** The part of an object that its owner writes, as YAML. */
export function textOf(object: KubernetesObject & { spec?: unknown }): string {
  const { name, namespace, labels, annotations } = object.metadata;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !ownAnnotations.includes(key));
  return yaml({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
      ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}),
    },
    spec: object.spec,
  });
}

/** A value as YAML, as Mirage writes it. */
export function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 110, aliasDuplicateObjects: false });
}

/** The object that is stored when this text replaces `before`: everything else of it stays as it is. */
export function replaced<T extends KubernetesObject & { spec?: unknown }>(text: string, before: T): T {
  const written = parse(text) as Written;
  const annotations = { ...(written.metadata?.annotations as Record<string, string> | undefined) };
  for (const key of ownAnnotations) {
    const value = before.metadata.annotations?.[key];
    if (value !== undefined) annotations[key] = value;
  }
  return {
    ...before,
    ...(written.apiVersion ? { apiVersion: written.apiVersion } : {}),
    ...(written.kind ? { kind: written.kind } : {}),
    metadata: {
      ...before.metadata,
      ...(written.metadata?.name ? { name: written.metadata.name } : {}),
      labels: written.metadata?.labels ?? {},
      annotations,
    },
    spec: written.spec ?? {},
  } as T;
}
