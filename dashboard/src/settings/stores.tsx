import type { SecretStore } from '~/api/kinds';
import { secretStores } from '~/api/resource';
import { useLive, whole } from '~/live/useLive';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';

/** Where values of variables live outside of Mirage, and how it shows them who it is. */
export function Stores() {
  const { objects, isWhole, problem } = useLive({ resource: secretStores }, whole<SecretStore>);
  return (
    <Panel title="Secret stores" note="Objects of kind SecretStore; variables take values from them by secretRef.">
      {problem && !isWhole && <ProblemCard problem={problem} />}
      {!isWhole && !problem && <Skeleton className="h-16" />}
      {isWhole && objects.size === 0 && (
        <p className="text-ink-soft">
          None. Apply a <code className="font-mono text-[13px]">SecretStore</code> that names a Vault.
        </p>
      )}
      <ul className="divide-y divide-line">
        {[...objects.values()].map(({ metadata, spec: { vault } }) => (
          <li key={metadata.uid} className="py-2.5 first:pt-0 last:pb-0">
            <strong className="font-medium">{metadata.name}</strong>
            {metadata.namespace && <span className="ml-2 text-[13px] text-ink-soft">in {metadata.namespace}</span>}
            <p className="text-[13px] break-all text-ink-soft">
              {vault.address} · {vault.mount ?? 'secret'} · {vault.auth.appRole ? 'by an AppRole' : 'by a token'}
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
