import { useQuery } from '@tanstack/react-query';
import { ChevronRight, ExternalLink } from 'lucide-react';
import { environmentsOf, type RailwayEnvironment, type RailwayProject } from '~/api/railway';
import { safeUrl } from '~/environments/facts';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Mark } from '~/ui/status';
import { isImportable, type Chosen } from './choice';
import { EnvironmentLine } from './environment-line';
import { LOOK_MS } from './useLookAgain';

interface Props {
  namespace: string;
  project: RailwayProject;
  isOpen: boolean;
  onOpen: (id: string, isOpen: boolean) => void;
  chosen: Chosen;
  onChoose: (environments: readonly RailwayEnvironment[], isTaken: boolean) => void;
  mayImport: boolean;
}

function counted(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}

/** A project; opened, with its environments. */
export function ProjectPanel({ project, isOpen, onOpen, ...others }: Props) {
  const { railwayProjectId: id, name, environments, services, managed, external, unreadable } = project;
  const dashboard = safeUrl(project.dashboardUrl);
  return (
    <section className="panel" aria-label={`Project ${name}`}>
      <header className="flex items-center gap-2 pr-3 sm:pr-4">
        <h2 className="min-w-0 grow">
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={() => onOpen(id, !isOpen)}
            className="flex w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-2xl py-3.5 pl-3 text-left sm:pl-4"
          >
            <span className="flex min-w-0 items-center gap-2">
              <ChevronRight
                className={classes('size-4 shrink-0 text-ink-soft transition-transform', isOpen && 'rotate-90')}
                aria-hidden
              />
              <span className="truncate text-[15px] font-semibold">{name}</span>
            </span>
            <span className="text-[13px] text-ink-soft tabular-nums">
              {environments == null
                ? 'what is in it could not be read'
                : `${counted(environments, 'environment')} · ${counted(services ?? 0, 'service')}`}
            </span>
            <span className="flex gap-1.5 sm:ml-auto">
              {Boolean(managed) && <Mark tone="healthy">{managed} managed</Mark>}
              {Boolean(external) && <Mark tone="info">{external} external</Mark>}
            </span>
          </button>
        </h2>
        {dashboard && (
          <a
            href={dashboard}
            target="_blank"
            rel="noopener noreferrer"
            aria-label={`${name} in Railway’s dashboard`}
            title="In Railway’s dashboard"
            className="inline-flex size-9 shrink-0 items-center justify-center rounded-[9px] text-ink-soft hover:bg-inset-strong hover:text-ink"
          >
            <ExternalLink className="size-4" aria-hidden />
          </a>
        )}
      </header>
      {unreadable && <p className="mx-4 mb-3 rounded-lg bg-warning-tint px-3 py-2 break-words">{unreadable}</p>}
      {isOpen && <Environments projectId={id} {...others} />}
    </section>
  );
}

function Environments({
  namespace,
  projectId,
  chosen,
  onChoose,
  mayImport,
}: Pick<Props, 'namespace' | 'chosen' | 'onChoose' | 'mayImport'> & { projectId: string }) {
  const found = useQuery({
    queryKey: ['railway', namespace, 'environments', projectId],
    queryFn: ({ signal }) => environmentsOf(namespace, projectId, signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
  if (found.error) {
    return (
      <div className="px-4 pb-4">
        <ProblemNotice error={found.error} action={<Button onClick={() => void found.refetch()}>Try again</Button>} />
      </div>
    );
  }
  if (!found.data) return <Skeleton className="mx-4 mb-4 h-16" />;
  const importable = mayImport ? found.data.filter(isImportable) : [];
  const isAll = importable.length > 0 && importable.every((one) => chosen.has(one.railwayEnvironmentId));
  return (
    <div className="border-t border-line px-3 sm:px-4">
      {found.data.length === 0 && <p className="py-4 text-ink-soft">It has no environment.</p>}
      {importable.length > 1 && (
        <label className="flex items-center gap-3 border-b border-line py-2 text-[13px] text-ink-soft">
          <input
            type="checkbox"
            className="size-4 accent-(--primary)"
            checked={isAll}
            onChange={(event) => onChoose(importable, event.target.checked)}
          />
          All {importable.length} that Mirage does not manage
        </label>
      )}
      <ul className="divide-y divide-line">
        {found.data.map((environment) => (
          <EnvironmentLine
            key={environment.railwayEnvironmentId}
            namespace={namespace}
            environment={environment}
            isChosen={chosen.has(environment.railwayEnvironmentId)}
            onChoose={mayImport ? (isTaken) => onChoose([environment], isTaken) : undefined}
          />
        ))}
      </ul>
    </div>
  );
}
