import type { RailwayAccount } from '~/api/kinds';
import { accounts } from '~/api/resource';
import { useLive, whole } from '~/live/useLive';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';
import { Status } from '~/ui/status';
import { Age } from '~/ui/time';

/** The tokens for Railway, as far as they may be looked at. */
export function Credentials() {
  const { objects, isWhole, problem } = useLive({ resource: accounts }, whole<RailwayAccount>);
  return (
    <Panel title="Railway credentials" note="Objects of kind RailwayAccount; their secrets are never shown.">
      {problem && !isWhole && <ProblemCard problem={problem} />}
      {!isWhole && !problem && <Skeleton className="h-16" />}
      {isWhole && objects.size === 0 && (
        <p className="text-ink-soft">
          None. Set <code className="font-mono text-[13px]">RAILWAY_API_TOKEN</code> where the server runs, or apply a
          RailwayAccount with a <code className="font-mono text-[13px]">secretRef</code>.
        </p>
      )}
      <ul className="divide-y divide-line">
        {[...objects.values()].map((account) => {
          const ready = account.status?.conditions?.find((condition) => condition.type === 'Ready');
          return (
            <li key={account.metadata.uid} className="py-2.5 first:pt-0 last:pb-0">
              <div className="flex flex-wrap items-center gap-x-3">
                <strong className="font-medium">{account.metadata.name}</strong>
                <Status
                  tone={ready?.status === 'True' ? 'healthy' : ready?.status === 'False' ? 'danger' : 'idle'}
                  word={ready?.status === 'True' ? 'Works' : (ready?.reason ?? 'Unknown')}
                />
                <span className="ml-auto text-[13px] text-ink-soft tabular-nums">
                  {account.status?.budget ? `${account.status.budget} requests left` : ''}
                </span>
              </div>
              <p className="text-[13px] text-ink-soft">
                {account.spec.secretRef
                  ? `from the secret ${account.spec.secretRef.name}`
                  : "the process's own token"}
                {account.status?.workspace && ` · workspace ${account.status.workspace}`}
                {account.status?.lastVerified && (
                  <>
                    {' '}
                    · seen to work <Age since={account.status.lastVerified} suffix=" ago" />
                  </>
                )}
              </p>
              {ready?.status === 'False' && <p className="mt-1 text-[13px] text-danger">{ready.message}</p>}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
