import { useState } from 'react';
import type { Environment } from '~/api/kinds';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import { TextField } from '~/ui/field';
import { ProblemNotice } from '~/ui/problem';
import { toast } from '~/ui/toast';
import { destroy } from './actions';
import { isRetainedAtTheEnd, servicesOf, typeOf } from './facts';

interface Props {
  environment: Environment;
  onClose: () => void;
  /** What is said instead, by whoever has just made it and takes that back. */
  undo?: { note: string; also: () => Promise<void> };
}

/** Asks before an environment is torn down; for production, by its name. */
export function DestroyDialog({ environment, onClose, undo }: Props) {
  const { name } = environment.metadata;
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const isProd = typeOf(environment) === 'prod';
  const isRetained = isRetainedAtTheEnd(environment);
  const { total } = servicesOf(environment);

  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await destroy(environment);
      await undo?.also();
      toast('info', `${name} is being torn down`);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={undo ? `Roll back ${name}?` : `Destroy ${name}?`}
      note={
        isRetained
          ? 'Its Railway environment stays as it is, without Mirage’s mark: the spec says `deletion: retain`.'
          : undo
            ? undo.note
            : `Its ${total} service${total === 1 ? '' : 's'} and their volumes are removed from Railway. This cannot be undone; the project stays.`
      }
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" isBusy={isBusy} disabled={isProd && typed !== name} onClick={() => void confirm()}>
            {undo ? 'Roll back' : 'Destroy'}
          </Button>
        </>
      }
    >
      {isProd && (
        <TextField
          label={
            <>
              This is production. Type <strong className="font-mono">{name}</strong> to go on
            </>
          }
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoFocus
        />
      )}
      {error !== undefined && <ProblemNotice error={error} />}
    </Dialog>
  );
}
