import { useQuery } from '@tanstack/react-query';
import { Container, GitBranch, HardDrive } from 'lucide-react';
import { useState } from 'react';
import { deploymentsOf, environmentOf, type RailwayDeployment, type RailwayEnvironment, type RailwayService } from '~/api/railway';
import { serviceTone } from '~/environment/service-tone';
import { hostOf, safeUrl } from '~/environments/facts';
import { Button } from '~/ui/button';
import { Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Status } from '~/ui/status';
import { Age } from '~/ui/time';
import { LOOK_MS } from './useLookAgain';

interface Props {
  namespace: string;
  environment: RailwayEnvironment;
}

/** The services of an environment on Railway. */
export function Services({ namespace, environment }: Props) {
  const { railwayProjectId: project, railwayEnvironmentId: id } = environment;
  const found = useQuery({
    queryKey: ['railway', namespace, 'environment', project, id],
    queryFn: ({ signal }) => environmentOf(namespace, project, id, signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
  if (found.error) {
    return <ProblemNotice error={found.error} action={<Button onClick={() => void found.refetch()}>Try again</Button>} />;
  }
  if (!found.data) return <Skeleton className="mt-2 h-24" />;
  const services = found.data.services ?? [];
  if (services.length === 0) return <p className="mt-1 pl-7 text-[13px] text-ink-soft">No service has an instance here.</p>;
  return (
    <ul className="mt-2 grid grid-cols-[minmax(0,1fr)] gap-2.5 sm:pl-7 md:grid-cols-[repeat(2,minmax(0,1fr))] xl:grid-cols-[repeat(3,minmax(0,1fr))]">
      {services.map((service) => (
        <li key={service.railwayServiceId}>
          <Service namespace={namespace} environment={environment} service={service} />
        </li>
      ))}
    </ul>
  );
}

function Service({ namespace, environment, service }: Props & { service: RailwayService }) {
  const [isOpen, setOpen] = useState(false);
  const { tone, isMoving } = serviceTone(service.state);
  const last = service.lastDeployment;
  const Source = service.repo ? GitBranch : Container;
  return (
    <article className="h-full rounded-xl border border-line bg-panel-raised/60 p-3.5" aria-label={`Service ${service.name}`}>
      <div className="flex items-center justify-between gap-2">
        <h3 className="truncate font-semibold">{service.name}</h3>
        <Status tone={tone} word={service.state} isMoving={isMoving} />
      </div>
      <p className="mt-1 flex min-w-0 items-center gap-1.5 text-[13px] text-ink-soft">
        <Source className="size-3.5 shrink-0" aria-hidden />
        <span className="truncate">{service.repo ?? service.image ?? 'no source'}</span>
      </p>
      {service.message && <p className="mt-2 rounded-lg bg-warning-tint px-2.5 py-1.5 text-[13px] break-words">{service.message}</p>}
      <p className="mt-2 text-[13px] text-ink-soft">
        {[
          service.replicas != null && `${service.replicas} ${service.replicas === 1 ? 'replica' : 'replicas'}`,
          service.region,
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      {(service.volumes ?? []).map((volume) => (
        <p key={volume.railwayVolumeId} className="mt-1 flex items-center gap-1.5 text-[13px] text-ink-soft">
          <HardDrive className="size-3.5 shrink-0" aria-hidden />
          <span className="truncate">{[volume.name, volume.mountPath].filter(Boolean).join(' at ')}</span>
        </p>
      ))}
      {(service.urls ?? []).flatMap((address) => safeUrl(address) ?? []).map((url) => (
        <p key={url} className="mt-1 truncate text-[13px]">
          <a href={url} target="_blank" rel="noopener noreferrer" className="text-primary hover:underline">
            {hostOf(url)}
          </a>
        </p>
      ))}
      {last && (
        <div className="mt-2 border-t border-line pt-2">
          {isOpen ? (
            <Deployments namespace={namespace} environment={environment} service={service} />
          ) : (
            <Deployment deployment={last} />
          )}
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
            className="mt-1 text-[13px] text-primary hover:underline"
          >
            {isOpen ? 'Only the newest' : `Earlier deployments of ${service.name}`}
          </button>
        </div>
      )}
    </article>
  );
}

function Deployments({ namespace, environment, service }: Props & { service: RailwayService }) {
  const place = {
    project: environment.railwayProjectId,
    environment: environment.railwayEnvironmentId,
    service: service.railwayServiceId,
  };
  const found = useQuery({
    queryKey: ['railway', namespace, 'deployments', place],
    queryFn: ({ signal }) => deploymentsOf(namespace, place, signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
  if (found.error) return <ProblemNotice error={found.error} />;
  if (!found.data) return <Skeleton className="h-10" />;
  return (
    <ol className="space-y-1.5">
      {found.data.map((deployment) => (
        <li key={deployment.railwayDeploymentId}>
          <Deployment deployment={deployment} />
        </li>
      ))}
    </ol>
  );
}

function Deployment({ deployment }: { deployment: RailwayDeployment }) {
  const commit = deployment.commit?.slice(0, 7);
  return (
    <p className="text-[13px] text-ink-soft">
      <span className="font-medium text-ink">{deployment.status.toLowerCase().replaceAll('_', ' ')}</span>{' '}
      <Age since={deployment.createdAt} suffix=" ago" />
      {deployment.active && ' · serves'}
      {commit && (
        <span className="block truncate">
          <code className="font-mono">{commit}</code> {deployment.commitMessage}
        </span>
      )}
    </p>
  );
}
