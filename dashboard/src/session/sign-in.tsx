import { useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useState, type FormEvent } from 'react';
import { shown, type Problem } from '~/api/problem';
import { Button } from '~/ui/button';
import { TextField } from '~/ui/field';
import { signIn, useSession } from './session';

/**
 * Asks for a token when the server does not know us. It stands over the page, which stays as it is: nothing that was
 * typed is lost when a session ends.
 */
export function SignIn() {
  const session = useSession();
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn(token.trim());
      setToken('');
      await queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'live' });
    } catch (error) {
      setProblem(shown(error));
    } finally {
      setBusy(false);
    }
  };

  const fault =
    problem?.kind === 'signed-out' ? 'This token is not good: it is mistyped, revoked or has expired.' : undefined;

  return (
    <Dialog.Root open={session === 'out'}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-70 bg-ground/70 backdrop-blur-md" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-4 top-[16vh] z-70 mx-auto max-w-md animate-rise rounded-2xl border border-line bg-panel-solid p-6 shadow-high"
        >
          <img src="/favicon.svg" alt="" className="mb-4 size-11" />
          <Dialog.Title className="text-xl font-semibold">Sign in to Mirage</Dialog.Title>
          <p className="mt-1 text-ink-soft">
            With a token of yours. It is exchanged for a session that ends after twelve hours; the token itself is not
            kept in this browser.
          </p>
          <form onSubmit={(event) => void submit(event)} className="mt-5 space-y-4">
            <TextField
              label="Token"
              type="password"
              name="token"
              value={token}
              onChange={(event) => setToken(event.target.value)}
              placeholder="mir_…"
              autoFocus
              required
              fault={fault ?? problem?.message ?? (problem ? problem.nextStep : undefined)}
            />
            <Button type="submit" look="primary" isBusy={isBusy} className="w-full">
              {!isBusy && <KeyRound className="size-4" aria-hidden />}
              Sign in
            </Button>
          </form>
          <p className="mt-4 text-[13px] text-ink-soft">
            On the server's own machine, the first one is in <code className="font-mono">.mirage/admin.token</code>.
            Others come from <code className="font-mono">mirage token create</code>.
          </p>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
