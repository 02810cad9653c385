import { Container, Database, FolderGit2, Search, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { EnvironmentType } from '~/api/kinds';
import { types } from '~/environments/search';
import { Button, IconButton } from '~/ui/button';
import { Choice, TextField } from '~/ui/field';
import { Panel } from '~/ui/panel';
import { isEngine, service, type DraftService, type ServiceKind } from './draft';
import { FindServices } from './find-services';
import { drafted } from './found';
import type { StepProps } from './step';

const typeOptions = types.map((value) => ({ value, label: value }));

const kinds: readonly { value: ServiceKind; label: string }[] = [
  { value: 'repo', label: 'From the repository' },
  { value: 'image', label: 'From an image' },
  { value: 'postgres', label: 'PostgreSQL' },
  { value: 'mysql', label: 'MySQL' },
  { value: 'redis', label: 'Redis' },
  { value: 'mongo', label: 'MongoDB' },
];

/** What it is called, and what runs in it. */
export function SourceStep({ draft, change, faults }: StepProps) {
  const [isFinding, setFinding] = useState(false);
  const set = (index: number, some: Partial<DraftService>) =>
    change({ services: draft.services.map((each, at) => (at === index ? { ...each, ...some } : each)) });
  const add = (kind: ServiceKind) => {
    const first = isEngine(kind) ? kind : 'web';
    let name: string = first;
    for (let number = 2; draft.services.some((each) => each.name === name); number += 1) name = `${first}-${number}`;
    change({ services: [...draft.services, service(name, kind)] });
  };
  const hasRepo = draft.services.some((each) => each.kind === 'repo');

  return (
    <div className="grid gap-4">
      <Panel title="What it is">
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Name"
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
            placeholder="shop-preview"
            fault={faults.get('name')}
            autoFocus
          />
          <Choice
            label="Type"
            value={draft.type}
            options={typeOptions}
            onChange={(type: EnvironmentType) => change({ type })}
            note="Decides which layer of a template applies."
          />
          <TextField
            label="Railway project"
            value={draft.project}
            onChange={(event) => change({ project: event.target.value })}
            placeholder="shop"
            note="Made if there is none of this name."
            fault={faults.get('project')}
          />
          <TextField
            label="Namespace"
            value={draft.namespace}
            onChange={(event) => change({ namespace: event.target.value || 'default' })}
          />
        </div>
      </Panel>
      <Panel
        title="Services"
        note="What runs in it."
        aside={
          <div className="flex flex-wrap gap-2">
            <Button size="small" onClick={() => setFinding(true)}>
              <Search className="size-4" aria-hidden /> Find in a repository
            </Button>
            <Button size="small" onClick={() => add('repo')}>
              <FolderGit2 className="size-4" aria-hidden /> Repository
            </Button>
            <Button size="small" onClick={() => add('image')}>
              <Container className="size-4" aria-hidden /> Image
            </Button>
            <Button size="small" onClick={() => add('postgres')}>
              <Database className="size-4" aria-hidden /> Database
            </Button>
          </div>
        }
      >
        {faults.get('services') && <p className="mb-3 text-[13px] text-danger">{faults.get('services')}</p>}
        {hasRepo && (
          <div className="mb-4 grid gap-4 border-b border-line pb-4 sm:grid-cols-2">
            <TextField
              label="GitHub repository"
              value={draft.repo}
              onChange={(event) => change({ repo: event.target.value })}
              placeholder="acme/shop"
              fault={faults.get('repo')}
            />
            <TextField
              label="Branch"
              value={draft.branch}
              onChange={(event) => change({ branch: event.target.value })}
              placeholder="main"
            />
          </div>
        )}
        {draft.services.length === 0 && (
          <p className="py-4 text-center text-ink-soft">
            None yet. Look what a repository has, or add one from a repository, an image, or a database.
          </p>
        )}
        <ul className="grid gap-3">
          {draft.services.map((each, index) => (
            <li key={index} className="rounded-xl border border-line bg-inset p-3.5">
              <div className="grid items-start gap-3 sm:grid-cols-[1fr_1fr_1.4fr_auto]">
                <TextField
                  label="Service name"
                  value={each.name}
                  onChange={(event) => set(index, { name: event.target.value.trim() })}
                  fault={faults.get(`services.${index}.name`)}
                />
                <Choice label="From" value={each.kind} options={kinds} onChange={(kind) => set(index, { kind })} />
                {each.kind === 'image' ? (
                  <TextField
                    label="Image"
                    value={each.image}
                    onChange={(event) => set(index, { image: event.target.value })}
                    placeholder="ghcr.io/acme/api:1.4"
                    fault={faults.get(`services.${index}.image`)}
                  />
                ) : each.kind === 'repo' ? (
                  <TextField
                    label="Folder"
                    value={each.folder}
                    onChange={(event) => set(index, { folder: event.target.value })}
                    placeholder="/ (the whole repository)"
                  />
                ) : (
                  <p className="pt-7 text-[13px] text-ink-soft">Image, volume, password and connection come with it.</p>
                )}
                <IconButton
                  label={`Remove ${each.name}`}
                  className="sm:mt-6"
                  onClick={() => change({ services: draft.services.filter((_, at) => at !== index) })}
                >
                  <Trash2 className="size-4" aria-hidden />
                </IconButton>
              </div>
              {!isEngine(each.kind) && (
                <div className="mt-3 flex flex-wrap items-center gap-x-5 gap-y-2">
                  <label className="inline-flex h-9 items-center gap-2">
                    <input
                      type="checkbox"
                      className="size-4 accent-(--primary)"
                      checked={each.isPublic}
                      onChange={(event) => set(index, { isPublic: event.target.checked })}
                    />
                    Public address
                  </label>
                  {each.isPublic && (
                    <input
                      aria-label={`Port of ${each.name}`}
                      className="field w-24"
                      inputMode="numeric"
                      placeholder="port"
                      value={each.port}
                      aria-invalid={faults.has(`services.${index}.port`) || undefined}
                      onChange={(event) => set(index, { port: event.target.value.replace(/\D/g, '') })}
                    />
                  )}
                </div>
              )}
            </li>
          ))}
        </ul>
      </Panel>
      {isFinding && (
        <FindServices
          repo={draft.repo}
          branch={draft.branch}
          namespace={draft.namespace}
          onClose={() => setFinding(false)}
          onAdd={(repo, branch, chosen) => {
            change({ repo, branch, services: [...draft.services, ...drafted(chosen, draft.services)] });
            setFinding(false);
          }}
        />
      )}
    </div>
  );
}
