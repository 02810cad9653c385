import { Link } from '@tanstack/react-router';
import { Boxes, FolderOpen, GitBranch, TriangleAlert } from 'lucide-react';
import { memo } from 'react';
import type { Environment } from '~/api/kinds';
import { classes } from '~/ui/classes';
import { Mark, Status } from '~/ui/status';
import { Age } from '~/ui/time';
import { hostOf, ownerOf, placeOf, projectOf, safeUrl, servicesOf, typeOf } from './facts';
import { healthOf, isDrifted, reasonOf } from './health';
import { TimeLeft } from './life-bar';
import { QuickActions } from './quick-actions';
import { TypeMark } from './type-mark';

/** An environment at a glance. Drawn anew only when its object is another one. */
export const Card = memo(function Card({ environment }: { environment: Environment }) {
  const health = healthOf(environment);
  const { up, total } = servicesOf(environment);
  const url = safeUrl(environment.status?.url);
  const project = projectOf(environment);
  const owner = ownerOf(environment);
  const reason = reasonOf(environment);
  const branch = environment.spec.source?.branch;
  const place = placeOf(environment);
  return (
    <article className="panel sheen flex h-[186px] flex-col p-4" aria-label={place.name}>
      <div className="flex items-start justify-between gap-2">
        <div className="min-w-0">
          <h3 className="truncate text-[15px] font-semibold">
            <Link
              to="/environments/$namespace/$name"
              params={place}
              className="after:absolute after:inset-0 after:rounded-[inherit]"
            >
              {place.name}
            </Link>
          </h3>
          <p className="mt-0.5 flex items-center gap-1.5 truncate text-[13px] text-ink-soft">
            <FolderOpen className="size-3.5 shrink-0" aria-hidden />
            <span className="truncate">{project || 'no project yet'}</span>
            {branch && (
              <>
                <GitBranch className="ml-1 size-3.5 shrink-0" aria-hidden />
                <span className="truncate">{branch}</span>
              </>
            )}
          </p>
        </div>
        <div className="-mt-1 -mr-1.5 flex items-center gap-0.5">
          <TypeMark type={typeOf(environment)} />
          <QuickActions environment={environment} />
        </div>
      </div>

      <div className="mt-3 flex items-center gap-2">
        <Status tone={health.tone} word={health.word} isMoving={health.isMoving} />
        {isDrifted(environment) && health.group !== 'drifted' && (
          <Mark tone="warning">
            <TriangleAlert className="size-3" aria-hidden /> drifted
          </Mark>
        )}
        <span className="ml-auto inline-flex items-center gap-1.5 text-[13px] text-ink-soft tabular-nums">
          <Boxes className="size-3.5" aria-hidden />
          {up}/{total} up
        </span>
      </div>
      <ServiceBar environment={environment} />

      <p className="mt-2 truncate text-[13px] text-ink-soft">
        {reason ? (
          <span title={reason}>{reason}</span>
        ) : url ? (
          <a
            href={url}
            target="_blank"
            rel="noopener noreferrer"
            className="relative z-10 text-accent underline-offset-2 hover:underline"
          >
            {hostOf(url)}
          </a>
        ) : (
          <span>no public address</span>
        )}
      </p>

      <div className="mt-auto flex items-center justify-between gap-2 border-t border-line pt-2 text-xs text-ink-soft">
        <span className="truncate">
          <Age since={environment.metadata.creationTimestamp} suffix=" old" />
          {owner && <> · {owner}</>}
        </span>
        <TimeLeft environment={environment} />
      </div>
    </article>
  );
});

const segment: Record<string, string> = {
  Ready: 'bg-healthy-dot',
  Sleeping: 'bg-info-dot',
  Deploying: 'bg-info-dot animate-breathe',
  Failed: 'bg-danger-dot',
  Blocked: 'bg-warning-dot',
};

/** One stroke a service. The numbers beside it say the same. */
function ServiceBar({ environment }: { environment: Environment }) {
  const states = Object.entries(environment.status?.services ?? {});
  return (
    <div className="mt-2 flex h-1.5 gap-1" aria-hidden>
      {states.length === 0 && <span className="grow rounded-full bg-inset-strong" />}
      {states.slice(0, 16).map(([name, service]) => (
        <span
          key={name}
          className={classes('min-w-1 grow rounded-full', segment[service.state] ?? 'bg-inset-strong')}
        />
      ))}
    </div>
  );
}
