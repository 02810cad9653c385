import { stringify } from 'yaml';
import type { Environment } from '~/api/kinds';

/**
 * The text of another environment like this one. Its own name on Railway, its end, and domains that only one environment
 * can have are left out. Pure.
 */
export function cloneText(environment: Environment): string {
  const { name: _, expiresAt: __, ...spec } = structuredClone(environment.spec);
  for (const service of Object.values(spec.services ?? {})) {
    if (!service?.domains) continue;
    const kept = service.domains.filter((domain) => !domain.name);
    if (kept.length > 0) service.domains = kept;
    else delete service.domains;
  }
  const { namespace, labels } = environment.metadata;
  return stringify(
    {
      apiVersion: 'mirage.dev/v1alpha1',
      kind: 'Environment',
      metadata: {
        name: `${environment.metadata.name}-copy`.slice(0, 63),
        ...(namespace && namespace !== 'default' ? { namespace } : {}),
        ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
      },
      spec,
    },
    { lineWidth: 110 },
  );
}
