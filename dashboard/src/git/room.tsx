import { FileCode2, FolderGit2, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '~/api/access';
import { shown } from '~/api/problem';
import type { GitSync } from '~/api/kinds';
import { gitSyncs } from '~/api/resource';
import { patch } from '~/api/write';
import { restartFeeds, useLive, whole } from '~/live/useLive';
import { useScope } from '~/session/scope';
import { Button } from '~/ui/button';
import { Nothing, Panel, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';
import { Mark, Status } from '~/ui/status';
import { toast } from '~/ui/toast';
import { Age } from '~/ui/time';
import { byFile, phaseTone, resultTone } from './result';

/** Repositories that say what there is: their last commit, and what became of each file. */
export function GitRoom() {
  const { objects, isWhole, problem } = useLive({ resource: gitSyncs, namespace: useScope() }, whole<GitSync>);
  const syncs = [...objects.values()].sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));
  return (
    <>
      <RoomHead title="Git" note="Folders of repositories that are kept applied." />
      {problem && !isWhole && <ProblemCard problem={problem} action={<Button onClick={restartFeeds}>Try again</Button>} />}
      {!isWhole && !problem && <Skeleton className="h-64" />}
      {isWhole && syncs.length === 0 && (
        <div className="panel">
          <Nothing title="No repository yet">
            Apply a <code className="font-mono text-[13px]">GitSync</code> that names a repository and a folder in it.
          </Nothing>
        </div>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
        {syncs.map((sync) => (
          <Sync key={sync.metadata.uid} sync={sync} />
        ))}
      </div>
    </>
  );
}

function Sync({ sync }: { sync: GitSync }) {
  const { spec, status, metadata } = sync;
  const [isBusy, setBusy] = useState(false);
  const mayPatch = useMay('patch', gitSyncs, metadata.namespace);
  const phase = status?.phase ?? 'Pending';
  const trouble = status?.conditions?.find((one) => one.type === 'Ready' && one.status === 'False');
  const faults = status?.faults ?? [];

  const look = async () => {
    setBusy(true);
    try {
      const asked = { metadata: { annotations: { 'mirage.dev/sync-at': new Date().toISOString() } } };
      await patch(gitSyncs, metadata.name, metadata.namespace, asked);
      toast('info', `${metadata.name} looks for a new commit`);
    } catch (error) {
      toast('danger', shown(error).title, shown(error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Panel
      title={
        <span className="flex flex-wrap items-center gap-3">
          {metadata.name} <Status tone={phaseTone(phase)} word={phase} />
          {status?.objectsSynced && <Mark tone="idle">{status.objectsSynced} synced</Mark>}
        </span>
      }
      note={
        <span className="inline-flex min-w-0 flex-wrap items-center gap-x-3">
          <span className="inline-flex items-center gap-1.5 break-all">
            <FolderGit2 className="size-3.5 shrink-0" aria-hidden /> {spec.url}
            {spec.path && ` · ${spec.path}`}
          </span>
          {status?.revision && <code className="font-mono">{status.revision}</code>}
          {status?.lastSync && (
            <span>
              synced <Age since={status.lastSync} suffix=" ago" />
            </span>
          )}
        </span>
      }
      aside={
        <Button size="small" isBusy={isBusy} disabled={mayPatch === false} onClick={() => void look()}>
          <RefreshCw className="size-4" aria-hidden /> Look now
        </Button>
      }
    >
      {trouble && faults.length === 0 && <p className="mb-3 rounded-lg bg-warning-tint px-3 py-2 break-words">{trouble.message}</p>}
      {faults.length > 0 && (
        <ul className="mb-3 space-y-1 rounded-lg bg-danger-tint px-3 py-2">
          {faults.map((fault, index) => (
            <li key={index} className="break-words">
              <code className="mr-2 font-mono text-[13px]">
                {[fault.file, fault.line, fault.column].filter((part) => part != null).join(':')}
              </code>
              {fault.message}
            </li>
          ))}
        </ul>
      )}
      <ul className="space-y-3">
        {byFile(status?.objects ?? []).map(([file, objects]) => (
          <li key={file}>
            <h3 className="flex items-center gap-1.5 font-mono text-[13px] break-all text-ink-soft">
              <FileCode2 className="size-3.5 shrink-0" aria-hidden /> {file || 'no longer in the folder'}
            </h3>
            <ul className="mt-1 divide-y divide-line">
              {objects.map((object) => (
                <li key={`${object.kind}/${object.namespace ?? ''}/${object.name}`} className="flex flex-wrap items-center gap-x-3 py-1.5">
                  <span>
                    {object.kind} <strong className="font-medium">{object.name}</strong>
                  </span>
                  <span className="ml-auto">
                    <Status tone={resultTone(object.result)} word={object.result} />
                  </span>
                  {object.message && <p className="w-full text-[13px] break-words text-ink-soft">{object.message}</p>}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
