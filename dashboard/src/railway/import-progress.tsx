import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowRight, X } from 'lucide-react';
import { useEffect } from 'react';
import { importProgress, type ImportItem, type ImportOperation } from '~/api/railway';
import { buttonClass, IconButton } from '~/ui/button';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Status } from '~/ui/status';
import { Findings } from './findings';
import { importWords, together } from './state';

/** How often it is looked at while something is on its way. */
const LOOK_MS = 1_000;

interface Props {
  /** By which the server knows it; absent when nothing was made. */
  id: string | undefined;
  /** What the server said when it began; absent after a reload. */
  started: ImportOperation | undefined;
  onDismiss: () => void;
  /** Called once nothing more will happen by itself. */
  onSettled: () => void;
}

/** An import as it happens, item by item. */
export function ImportProgress({ id, started, onDismiss, onSettled }: Props) {
  const now = useQuery({
    queryKey: ['import-progress', id],
    queryFn: ({ signal }) => importProgress(id ?? '', signal),
    enabled: id !== undefined,
    refetchInterval: ({ state: { data, error } }) => (error || (data && data.done >= data.total) ? false : LOOK_MS),
    retry: 2,
  });
  const operation = together(started, now.data);
  const isDone = operation !== undefined && operation.done >= operation.total;
  useEffect(() => {
    if (isDone) onSettled();
  }, [isDone, onSettled]);

  return (
    <Panel
      className="mb-4"
      aria-label="Import"
      title={isDone ? 'Import is done' : 'Importing'}
      note={operation && <span role="status">{`${operation.done} of ${operation.total} settled`}</span>}
      aside={
        <IconButton label="Put the import away" onClick={onDismiss} className="size-8">
          <X className="size-4" aria-hidden />
        </IconButton>
      }
    >
      {now.error ? (
        <ProblemNotice error={now.error} />
      ) : !operation ? (
        <Skeleton className="h-16" />
      ) : (
        <ul className="divide-y divide-line">
          {operation.items.map((item, index) => (
            <Line key={item.railwayEnvironmentId ?? index} item={item} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Line({ item }: { item: ImportItem }) {
  return (
    <li className="py-2.5 first:pt-0 last:pb-0" aria-label={`Import of ${item.name}`}>
      <div className="flex flex-wrap items-center gap-x-3">
        <strong className="font-medium break-all">{item.name}</strong>
        <span className="text-[13px] break-all text-ink-soft">
          {item.project}/{item.environment}
        </span>
        <Status {...importWords(item.state)} />
        {item.environmentId && (
          <Link
            to="/environments/$namespace/$name"
            params={{ namespace: item.namespace, name: item.name }}
            className={`${buttonClass('quiet', 'small')} ml-auto`}
            aria-label={`To ${item.name}`}
          >
            To the environment <ArrowRight className="size-4" aria-hidden />
          </Link>
        )}
      </div>
      <Findings item={item} />
    </li>
  );
}
