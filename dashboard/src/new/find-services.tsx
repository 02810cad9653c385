import { useQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { findServices, type FoundService, type FoundServices, type Repository } from '~/api/repositories';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import { TextField } from '~/ui/field';
import { Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { whatWasFound } from './found';

interface Props {
  repo: string;
  branch: string;
  namespace: string;
  onAdd: (repo: string, branch: string, chosen: FoundService[]) => void;
  onClose: () => void;
}

/** Looks into a repository on GitHub, and lets choose from what could run there. */
export function FindServices({ repo, branch, namespace, onAdd, onClose }: Props) {
  const [asked, setAsked] = useState<Repository>();
  const [typed, setTyped] = useState({ repo, branch, secret: '' });
  // What someone ticked themselves; for the rest, what surely runs is wanted.
  const [ticked, setTicked] = useState<ReadonlyMap<string, boolean>>(new Map());
  const found = useQuery({
    queryKey: ['found-services', asked],
    queryFn: ({ signal }) => findServices(asked ?? noRepository, signal),
    enabled: asked !== undefined,
    retry: false,
    staleTime: 30_000,
  });
  const isName = /^[\w.-]+\/[\w.-]+$/.test(typed.repo.trim());
  const look = (event: FormEvent) => {
    event.preventDefault();
    if (!isName) return;
    setTicked(new Map());
    setAsked({ name: typed.repo.trim(), branch: typed.branch.trim(), namespace, secret: typed.secret.trim() });
  };
  const isWanted = (service: FoundService) => ticked.get(service.name) ?? service.isCertain;
  const chosen = found.data?.services.filter(isWanted) ?? [];

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Find services in a repository"
      note="By its Compose file, and by what stands in its folders: Dockerfiles, railway.json, manifests of languages."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            disabled={chosen.length === 0}
            onClick={() => found.data && onAdd(found.data.repository, found.data.reference, chosen)}
          >
            Add {chosen.length > 0 ? chosen.length : ''}
          </Button>
        </>
      }
    >
      <form onSubmit={look} className="grid gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Repository on GitHub"
            value={typed.repo}
            onChange={(event) => setTyped({ ...typed, repo: event.target.value })}
            placeholder="acme/shop"
            autoFocus
          />
          <TextField
            label="Its branch"
            value={typed.branch}
            onChange={(event) => setTyped({ ...typed, branch: event.target.value })}
            placeholder="the default one"
          />
          <TextField
            label="Secret with a token"
            className="sm:col-span-2"
            value={typed.secret}
            onChange={(event) => setTyped({ ...typed, secret: event.target.value })}
            note={`For a private repository: the name of a Secret in ${namespace} whose key “token” holds one of GitHub’s.`}
          />
        </div>
        <Button type="submit" isBusy={found.isFetching} disabled={!isName} className="justify-self-start">
          {!found.isFetching && <Search className="size-4" aria-hidden />} Look
        </Button>
      </form>
      <div className="mt-4" aria-live="polite">
        {found.error ? (
          <ProblemNotice error={found.error} />
        ) : found.data ? (
          <Choices found={found.data} isWanted={isWanted} onTick={(name, is) => setTicked(new Map(ticked).set(name, is))} />
        ) : (
          found.isFetching && <Skeleton className="h-32" />
        )}
      </div>
    </Dialog>
  );
}

const noRepository: Repository = { name: '', branch: '', namespace: '', secret: '' };

function Choices({
  found,
  isWanted,
  onTick,
}: {
  found: FoundServices;
  isWanted: (service: FoundService) => boolean;
  onTick: (name: string, is: boolean) => void;
}) {
  return (
    <>
      {found.services.length === 0 && (
        <p className="text-ink-soft">
          Nothing in {found.repository} tells of a service. Add one by hand: Railway may know how to build it all the same.
        </p>
      )}
      <ul className="grid max-h-72 gap-1 overflow-y-auto">
        {found.services.map((service) => (
          <li key={service.name}>
            <label className="flex items-start gap-2.5 rounded-lg px-2 py-1.5 hover:bg-inset">
              <input
                type="checkbox"
                className="mt-1 size-4 accent-(--primary)"
                checked={isWanted(service)}
                onChange={(event) => onTick(service.name, event.target.checked)}
              />
              <span className="min-w-0">
                <span className="font-medium">{service.name}</span>
                {!service.isCertain && <span className="ml-2 text-[13px] text-ink-soft">may be a library</span>}
                <span className="block text-[13px] break-words text-ink-soft">{whatWasFound(service)}</span>
              </span>
            </label>
          </li>
        ))}
      </ul>
      {found.remarks?.map((remark) => (
        <p key={remark} className="mt-2 text-[13px] text-warning">
          {remark}
        </p>
      ))}
    </>
  );
}
