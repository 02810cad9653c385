import { Link } from '@tanstack/react-router';
import { GitPullRequest } from 'lucide-react';
import type { PreviewPolicy } from '~/api/kinds';
import { previewPolicies } from '~/api/resource';
import { safeUrl } from '~/environments/facts';
import { restartFeeds, useLive, whole } from '~/live/useLive';
import { useScope } from '~/session/scope';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Nothing, Panel, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';
import { Mark, Status } from '~/ui/status';
import { Countdown } from '~/ui/time';
import { policyTone, previewTone, shownPreviews, type Preview } from './preview';

/** Policies, their pull requests, and those that wait for a place. */
export function PreviewsRoom() {
  const { objects, isWhole, problem } = useLive({ resource: previewPolicies, namespace: useScope() }, whole<PreviewPolicy>);
  const policies = [...objects.values()].sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));
  return (
    <>
      <RoomHead title="Previews" note="An environment for every open pull request." />
      {problem && !isWhole && <ProblemCard problem={problem} action={<Button onClick={restartFeeds}>Try again</Button>} />}
      {!isWhole && !problem && <Skeleton className="h-64" />}
      {isWhole && policies.length === 0 && (
        <div className="panel">
          <Nothing title="No policy yet">
            Apply a <code className="font-mono text-[13px]">PreviewPolicy</code> that names a repository and a template.
          </Nothing>
        </div>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
        {policies.map((policy) => (
          <Policy key={policy.metadata.uid} policy={policy} />
        ))}
      </div>
    </>
  );
}

function Policy({ policy }: { policy: PreviewPolicy }) {
  const { spec, status, metadata } = policy;
  const phase = status?.phase ?? 'Pending';
  const trouble = status?.conditions?.find((one) => one.type === 'Ready' && one.status === 'False');
  const previews = shownPreviews(status?.previews ?? []);
  return (
    <Panel
      title={
        <span className="flex flex-wrap items-center gap-3">
          {metadata.name} <Status tone={policyTone(phase)} word={phase} />
        </span>
      }
      note={spec.repository}
      aside={
        <div className="flex flex-wrap gap-1.5">
          <Mark tone="idle">{status?.open ?? 0} open</Mark>
          <Mark tone="healthy">{status?.ready ?? 0} ready</Mark>
          {(status?.queued ?? 0) > 0 && <Mark tone="info">{status?.queued} queued</Mark>}
          {(status?.failed ?? 0) > 0 && <Mark tone="danger">{status?.failed} failed</Mark>}
        </div>
      }
    >
      {trouble && (
        <p className={classes('mb-3 rounded-lg px-3 py-2 break-words', phase === 'Suspended' ? 'bg-inset' : 'bg-warning-tint')}>
          {trouble.message}
        </p>
      )}
      {previews.length === 0 && <p className="text-ink-soft">No pull request that it is for.</p>}
      <ul className="divide-y divide-line">
        {previews.map((preview) => (
          <Row key={preview.number} preview={preview} namespace={metadata.namespace ?? 'default'} repository={spec.repository} />
        ))}
      </ul>
    </Panel>
  );
}

function Row({ preview, namespace, repository }: { preview: Preview; namespace: string; repository: string }) {
  const url = safeUrl(preview.url);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2.5">
      <span className="inline-flex items-center gap-1.5 font-medium">
        <GitPullRequest className="size-4 text-ink-soft" aria-hidden />
        <a
          href={`https://github.com/${repository}/pull/${preview.number}`}
          target="_blank"
          rel="noopener noreferrer"
          className="hover:underline"
        >
          #{preview.number}
        </a>
      </span>
      <Status
        tone={previewTone(preview.state)}
        word={preview.place ? `${preview.state}, place ${preview.place}` : preview.state}
        isMoving={preview.state === 'Deploying'}
      />
      {preview.environment && (
        <Link
          to="/environments/$namespace/$name"
          params={{ namespace, name: preview.environment }}
          className="text-accent hover:underline"
        >
          {preview.environment}
        </Link>
      )}
      {preview.commit && <code className="font-mono text-xs text-ink-soft">{preview.commit.slice(0, 8)}</code>}
      {url && (
        <a href={url} target="_blank" rel="noopener noreferrer" className="text-accent hover:underline">
          open
        </a>
      )}
      {preview.expiresAt && (
        <span className="ml-auto text-[13px] text-ink-soft">
          <Countdown until={preview.expiresAt} />
        </span>
      )}
      {preview.message && <p className="w-full text-[13px] break-words text-ink-soft">{preview.message}</p>}
    </li>
  );
}
