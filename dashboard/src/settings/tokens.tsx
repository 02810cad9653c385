import { Plus, Trash2 } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useMay } from '~/api/access';
import { shown } from '~/api/problem';
import type { Token } from '~/api/kinds';
import { tokens } from '~/api/resource';
import { create, remove } from '~/api/write';
import { useLive, whole } from '~/live/useLive';
import { Button, IconButton } from '~/ui/button';
import { Copyable } from '~/ui/copy';
import { Dialog } from '~/ui/dialog';
import { Choice, TextField } from '~/ui/field';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemCard, ProblemNotice } from '~/ui/problem';
import { Mark } from '~/ui/status';
import { toast } from '~/ui/toast';
import { Age, Countdown } from '~/ui/time';

/** Bearer tokens: made here and shown once, revoked here. */
export function Tokens() {
  const { objects, isWhole, problem } = useLive({ resource: tokens }, whole<Token>);
  const mayCreate = useMay('create', tokens);
  const mayDelete = useMay('delete', tokens);
  const [isMaking, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<Token>();
  const found = [...objects.values()].sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));

  return (
    <Panel
      title="Tokens"
      note="A token is shown once, when it is made."
      aside={
        <Button size="small" disabled={mayCreate === false} onClick={() => setMaking(true)}>
          <Plus className="size-4" aria-hidden /> New token
        </Button>
      }
    >
      {problem && !isWhole && <ProblemCard problem={problem} />}
      {!isWhole && !problem && <Skeleton className="h-20" />}
      <ul className="divide-y divide-line">
        {found.map((token) => (
          <li key={token.metadata.uid} className="flex items-center gap-3 py-2 first:pt-0 last:pb-0">
            <div className="min-w-0 grow">
              <div className="flex flex-wrap items-center gap-2">
                <strong className="truncate font-medium">{token.metadata.name}</strong>
                {token.metadata.labels?.['auth.mirage.dev/session'] && <Mark tone="info">session</Mark>}
                {token.spec?.limits && Object.keys(token.spec.limits).length > 0 && <Mark tone="idle">limited</Mark>}
              </div>
              <p className="text-[13px] text-ink-soft">
                {token.spec?.user}
                {' · '}
                {token.spec?.expiresAt ? <Countdown until={token.spec.expiresAt} /> : 'never ends'}
                {token.status?.lastUsedAt && (
                  <>
                    {' · used '}
                    <Age since={token.status.lastUsedAt} suffix=" ago" />
                  </>
                )}
              </p>
            </div>
            <IconButton
              label={`Revoke ${token.metadata.name}`}
              disabled={mayDelete === false}
              onClick={() => setRevoked(token)}
            >
              <Trash2 className="size-4" aria-hidden />
            </IconButton>
          </li>
        ))}
      </ul>
      {isMaking && <NewToken onClose={() => setMaking(false)} />}
      {revoked && <Revoke token={revoked} onClose={() => setRevoked(undefined)} />}
    </Panel>
  );
}

const spans = [
  { value: '24h', label: 'One day' },
  { value: '30d', label: '30 days' },
  { value: '365d', label: 'One year' },
  { value: '', label: 'For ever' },
] as const;

const roles = [
  { value: '', label: 'Everything you may do' },
  { value: 'view', label: 'Only look (ClusterRole view)' },
  { value: 'edit', label: 'Look and change (ClusterRole edit)' },
] as const;

function NewToken({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [ttl, setTtl] = useState<(typeof spans)[number]['value']>('30d');
  const [role, setRole] = useState<(typeof roles)[number]['value']>('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<string>();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const { object } = await create(tokens, undefined, {
        apiVersion: 'auth.mirage.dev/v1alpha1',
        kind: 'Token',
        metadata: { name: name.trim() },
        spec: { ...(ttl ? { ttl } : {}), ...(role ? { limits: { role } } : {}) },
      });
      setMade(object.status?.token ?? '');
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={made === undefined ? 'New token' : 'Copy it now'}
      note={made === undefined ? 'For you, or for a program that acts as you.' : 'It is not shown again.'}
    >
      {made !== undefined ? (
        <>
          <div className="rounded-xl bg-inset p-3">
            <Copyable label="the token" value={made} />
          </div>
          <div className="mt-5 text-right">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </>
      ) : (
        <form onSubmit={(event) => void submit(event)} className="space-y-4">
          <TextField label="Name" value={name} onChange={(event) => setName(event.target.value)} placeholder="ci" required autoFocus />
          <Choice label="Good for" value={ttl} options={spans} onChange={setTtl} />
          <Choice label="May do" value={role} options={roles} onChange={setRole} />
          {error !== undefined && <ProblemNotice error={error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" look="primary" isBusy={isBusy}>
              Make it
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const { name } = token.metadata;
  const revoke = async () => {
    setBusy(true);
    try {
      await remove(tokens, name);
      toast('info', `${name} is revoked`);
    } catch (error) {
      toast('danger', shown(error).title, shown(error).message);
    }
    onClose();
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Revoke ${name}?`}
      note="Whoever uses it is refused from now on, and so is what was made with it."
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" isBusy={isBusy} onClick={() => void revoke()}>
            Revoke
          </Button>
        </>
      }
    />
  );
}
