import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { RefreshCw } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useMay } from '~/api/access';
import { projectsOf, type ImportOperation, type RailwayEnvironment } from '~/api/railway';
import { railwayProjects } from '~/api/resource';
import { useScope } from '~/session/scope';
import { Button, IconButton } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Nothing, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { choose, nothing } from './choice';
import { ImportProgress } from './import-progress';
import { ProjectPanel } from './project-panel';
import { LOOK_MS, useLookAgain } from './useLookAgain';

const ImportDialog = lazy(async () => ({ default: (await import('./import-dialog')).ImportDialog }));

/** What Railway has, whether or not Mirage manages it. Nothing here changes Railway, and an import only marks it. */
export function RailwayRoom() {
  const namespace = useScope() ?? 'default';
  const { project: opened, import: operation } = useSearch({ from: '/railway' });
  const navigate = useNavigate({ from: '/railway' });
  const lookAgain = useLookAgain();
  const mayImport = useMay('import', railwayProjects, namespace);
  const [chosen, setChosen] = useState(nothing);
  const [isAsking, setAsking] = useState(false);
  const [started, setStarted] = useState<ImportOperation>();
  const [text, setText] = useState('');
  const found = useQuery({
    queryKey: ['railway', namespace, 'projects'],
    queryFn: ({ signal }) => projectsOf(namespace, signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
  const all = found.data ?? [];
  const shown = all.filter((project) => project.name.toLowerCase().includes(text.trim().toLowerCase()));

  const onChoose = (environments: readonly RailwayEnvironment[], isTaken: boolean) =>
    setChosen((before) => choose(before, environments, isTaken));
  const onOpen = (id: string, isOpen: boolean) =>
    void navigate({ search: (before) => ({ ...before, project: isOpen ? id : undefined }), replace: true });
  const onStarted = (made: ImportOperation) => {
    setAsking(false);
    setChosen(nothing);
    setStarted(made);
    void navigate({ search: (before) => ({ ...before, import: made.id ?? undefined }) });
  };
  const onDismissed = () => {
    setStarted(undefined);
    void navigate({ search: (before) => ({ ...before, import: undefined }), replace: true });
  };

  return (
    <>
      <RoomHead title="Railway" note="What is there, managed by Mirage or not, as it was within the last minute. Looking changes nothing.">
        {all.length > 5 && (
          <input
            type="search"
            aria-label="Search projects"
            placeholder="Project"
            className="field w-44"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        <IconButton label="Look again" onClick={lookAgain}>
          <RefreshCw className={classes('size-4', found.isFetching && 'animate-spin')} aria-hidden />
        </IconButton>
      </RoomHead>
      {(started || operation) && <ImportProgress id={operation} started={started} onDismiss={onDismissed} onSettled={lookAgain} />}
      {found.error ? (
        <ProblemNotice error={found.error} action={<Button onClick={() => void found.refetch()}>Try again</Button>} />
      ) : !found.data ? (
        <div className="grid gap-3" aria-busy="true" aria-label="Railway is asked">
          <Skeleton className="h-20" />
          <Skeleton className="h-20" />
          <Skeleton className="h-20" />
        </div>
      ) : shown.length === 0 ? (
        <div className="panel">
          {all.length === 0 ? (
            <Nothing title="No project on Railway">
              Railway shows this credential none. The first environment that you declare makes its project.
            </Nothing>
          ) : (
            <Nothing title="No project is called like that">{all.length} are there.</Nothing>
          )}
        </div>
      ) : (
        <ul className={classes('grid grid-cols-[minmax(0,1fr)] gap-3', chosen.size > 0 && 'pb-20')}>
          {shown.map((project) => (
            <li key={project.railwayProjectId}>
              <ProjectPanel
                namespace={namespace}
                project={project}
                isOpen={project.railwayProjectId === opened}
                onOpen={onOpen}
                chosen={chosen}
                onChoose={onChoose}
                mayImport={mayImport !== false}
              />
            </li>
          ))}
        </ul>
      )}
      {chosen.size > 0 && (
        <div
          role="region"
          aria-label="Chosen for import"
          className="fixed inset-x-3 bottom-20 z-20 mx-auto flex max-w-xl flex-wrap items-center gap-2 rounded-2xl border border-line-strong bg-panel-solid px-4 py-2.5 shadow-high lg:bottom-6"
        >
          <span className="grow font-medium" role="status">
            {chosen.size} {chosen.size === 1 ? 'environment' : 'environments'} chosen
          </span>
          <Button look="quiet" onClick={() => setChosen(nothing)}>
            Clear
          </Button>
          <Button look="primary" onClick={() => setAsking(true)}>
            Import…
          </Button>
        </div>
      )}
      {isAsking && (
        <Suspense>
          <ImportDialog namespace={namespace} chosen={chosen} onClose={() => setAsking(false)} onStarted={onStarted} />
        </Suspense>
      )}
    </>
  );
}
