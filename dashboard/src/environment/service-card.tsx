import { Container, Database, GitCommitHorizontal, Globe } from 'lucide-react';
import type { EnvironmentSpec, ServiceSpec, ServiceStatus } from '~/api/kinds';
import { hostOf, safeUrl } from '~/environments/facts';
import { Copyable } from '~/ui/copy';
import { Status } from '~/ui/status';
import { serviceTone } from './service-tone';

interface Props {
  name: string;
  spec: ServiceSpec | null | undefined;
  inherited: EnvironmentSpec['source'];
  status: ServiceStatus | undefined;
}

/** One service: where it comes from, how it runs, where it is reached. */
export function ServiceCard({ name, spec, inherited, status }: Props) {
  const { tone, isMoving } = serviceTone(status?.state);
  const source = sourceOf(spec, inherited);
  const urls = (status?.urls ?? []).flatMap((url) => safeUrl(url) ?? []);
  const custom = (spec?.domains ?? []).flatMap((domain) => domain.name ?? []);
  return (
    <article className="flex min-w-0 flex-col rounded-xl border border-line bg-panel-raised/60 p-3.5" aria-label={name}>
      <div className="flex items-center justify-between gap-2">
        <h3 className="truncate font-semibold">{name}</h3>
        <Status tone={tone} word={status?.state ?? 'Unknown'} isMoving={isMoving} />
      </div>
      <p className="mt-1 flex min-w-0 items-center gap-1.5 text-[13px] text-ink-soft">
        <source.icon className="size-3.5 shrink-0" aria-hidden />
        <span className="truncate" title={source.text}>
          {source.text}
        </span>
      </p>
      {status?.message && <p className="mt-2 rounded-lg bg-warning-tint px-2.5 py-1.5 text-[13px] break-words">{status.message}</p>}
      <dl className="mt-2.5 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 text-[13px] [&>dt]:text-ink-soft">
        {spec?.deploy?.replicas != null && (
          <>
            <dt>Replicas</dt>
            <dd className="tabular-nums">{spec.deploy.replicas}</dd>
          </>
        )}
        {spec?.deploy?.cron && (
          <>
            <dt>Runs at</dt>
            <dd className="font-mono text-[12.5px]">{spec.deploy.cron} UTC</dd>
          </>
        )}
        {status?.deploymentStatus && (
          <>
            <dt>Deployment</dt>
            <dd>{status.deploymentStatus.toLowerCase().replaceAll('_', ' ')}</dd>
          </>
        )}
        {status?.deploymentId && (
          <>
            <dt>Deployment id</dt>
            <dd className="min-w-0">
              <Copyable label={`deployment id of ${name}`} value={status.deploymentId} />
            </dd>
          </>
        )}
        {status?.serviceId && (
          <>
            <dt>Service id</dt>
            <dd className="min-w-0">
              <Copyable label={`service id of ${name}`} value={status.serviceId} />
            </dd>
          </>
        )}
        {custom.length > 0 && (
          <>
            <dt>Domains</dt>
            <dd className="break-words">{custom.join(', ')}</dd>
          </>
        )}
      </dl>
      {urls.map((url) => (
        <a
          key={url}
          href={url}
          target="_blank"
          rel="noopener noreferrer"
          className="mt-2 inline-flex min-w-0 items-center gap-1.5 text-[13px] text-accent underline-offset-2 hover:underline"
        >
          <Globe className="size-3.5 shrink-0" aria-hidden />
          <span className="truncate">{hostOf(url)}</span>
        </a>
      ))}
    </article>
  );
}

function sourceOf(spec: ServiceSpec | null | undefined, inherited: EnvironmentSpec['source']) {
  if (spec?.engine) return { icon: Database, text: spec.version ? `${spec.engine} ${spec.version}` : spec.engine };
  const source = spec?.source;
  if (source?.image) return { icon: Container, text: source.image };
  const repo = source?.repo ?? inherited?.repo;
  if (repo) {
    const at = source?.commit ?? inherited?.commit ?? source?.branch ?? inherited?.branch;
    const folder = source?.rootDirectory ? ` · ${source.rootDirectory}` : '';
    return { icon: GitCommitHorizontal, text: `${repo}${at ? `@${at.slice(0, 24)}` : ''}${folder}` };
  }
  return { icon: Container, text: 'from a template' };
}
