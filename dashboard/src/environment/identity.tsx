import type { ReactNode } from 'react';
import type { Environment } from '~/api/kinds';
import { ownerOf, safeUrl } from '~/environments/facts';
import { Copyable } from '~/ui/copy';
import { Panel } from '~/ui/panel';
import { Age } from '~/ui/time';

/** Ids of both sides, to copy, and what else identifies it. */
export function Identity({ environment }: { environment: Environment }) {
  const { metadata, status } = environment;
  const railway = status?.railway;
  const dashboard = safeUrl(railway?.dashboardUrl);
  const owner = ownerOf(environment);
  const labels = Object.entries(metadata.labels ?? {});
  return (
    <Panel title="Identity">
      <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-1.5 text-[13px]">
        <Row name="Mirage id">
          <Copyable label="Mirage id" value={metadata.uid} />
        </Row>
        <Row name="Namespace">{metadata.namespace}</Row>
        <Row name="Generation">{metadata.generation}</Row>
        <Row name="Made">
          <Age since={metadata.creationTimestamp} suffix=" ago" />
        </Row>
        {status?.lastReconciled && (
          <Row name="Last change">
            <Age since={status.lastReconciled} suffix=" ago" />
          </Row>
        )}
        {owner && <Row name="Owner">{owner}</Row>}
        {environment.spec.templateRef && <Row name="Template">{environment.spec.templateRef.name}</Row>}
        {status?.account && <Row name="Credential">{status.account}</Row>}
        {railway?.projectId && (
          <Row name="Railway project">
            {railway.projectName} <br />
            <Copyable label="Railway project id" value={railway.projectId} />
          </Row>
        )}
        {railway?.environmentId && (
          <Row name="Railway environment">
            {railway.environmentName} <br />
            <Copyable label="Railway environment id" value={railway.environmentId} />
          </Row>
        )}
        {dashboard && (
          <Row name="On Railway">
            <a href={dashboard} target="_blank" rel="noopener noreferrer" className="text-accent hover:underline">
              its dashboard
            </a>
          </Row>
        )}
        {labels.length > 0 && (
          <Row name="Labels">
            {labels.map(([key, value]) => (
              <code key={key} className="mr-1.5 rounded bg-inset px-1 font-mono text-xs">
                {key}={value}
              </code>
            ))}
          </Row>
        )}
      </dl>
    </Panel>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-soft">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}
