import { useNavigate } from '@tanstack/react-router';
import { LayoutGrid, ListFilter, Rows3, Search as SearchIcon, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Choice } from '~/ui/field';
import { Segmented } from '~/ui/segmented';
import { groups } from './health';
import { isFiltered, types, type Search, type Sort } from './search';

const sorts: readonly { value: Sort; label: string }[] = [
  { value: 'name', label: 'By name' },
  { value: 'newest', label: 'Newest first' },
  { value: 'status', label: 'Urgent first' },
  { value: 'expiry', label: 'Ending first' },
];

interface Props {
  search: Search;
  choices: { projects: string[]; owners: string[] };
}

/** What is looked for. Everything goes into the address. */
export function Filters({ search, choices }: Props) {
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState(search.q ?? '');
  const [label, setLabel] = useState(search.label ?? '');
  const change = (some: Search) =>
    void navigate({ to: '/', search: (before) => ({ ...before, ...some }), replace: true, resetScroll: false });

  // The address follows a moment later: not every letter is a place to come back to.
  useEffect(() => {
    const timer = setTimeout(() => {
      const q = text.trim() || undefined;
      const wanted = label.trim() || undefined;
      if (q !== search.q || wanted !== search.label) change({ q, label: wanted });
    }, 150);
    return () => clearTimeout(timer);
  });

  const any = (name: string, values: readonly { value: string; label: string }[]) => [
    { value: '', label: name },
    ...values,
  ];
  const plain = (values: readonly string[]) => values.map((value) => ({ value, label: value }));
  const clear = () => {
    setText('');
    setLabel('');
    change({ q: undefined, type: undefined, status: undefined, project: undefined, owner: undefined, label: undefined });
  };

  return (
    <div className="mb-4 flex flex-wrap items-center gap-2" role="search" aria-label="Environments">
      <div className="relative min-w-48 grow sm:max-w-xs">
        <SearchIcon className="absolute top-2.5 left-2.5 size-4 text-ink-faint" aria-hidden />
        <input
          type="search"
          aria-label="Search environments"
          placeholder="Name, project, branch, service…"
          className="field w-full pl-8"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Button className="sm:hidden" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ListFilter className="size-4" aria-hidden /> Filter
      </Button>
      <div className={classes('flex-wrap gap-2 sm:contents', isOpen ? 'grid w-full grid-cols-2' : 'hidden')}>
        <Choice
          isLabelHidden
          label="Type"
          value={search.type ?? ''}
          options={any('Any type', plain(types))}
          onChange={(type) => change({ type: (type || undefined) as Search['type'] })}
        />
        <Choice
          isLabelHidden
          label="Status"
          value={search.status ?? ''}
          options={any('Any status', groups)}
          onChange={(status) => change({ status: (status || undefined) as Search['status'] })}
        />
        {choices.projects.length > 1 && (
          <Choice
            isLabelHidden
            label="Project"
            className="max-w-44"
            value={search.project ?? ''}
            options={any('Any project', plain(choices.projects))}
            onChange={(project) => change({ project: project || undefined })}
          />
        )}
        {choices.owners.length > 0 && (
          <Choice
            isLabelHidden
            label="Owner"
            className="max-w-40"
            value={search.owner ?? ''}
            options={any('Any owner', plain(choices.owners))}
            onChange={(owner) => change({ owner: owner || undefined })}
          />
        )}
        <input
          aria-label="Label, as key or key=value"
          placeholder="label=value"
          className="field w-full sm:w-32"
          value={label}
          onChange={(event) => setLabel(event.target.value)}
        />
        <Choice
          isLabelHidden
          label="Order"
          value={search.sort ?? 'name'}
          options={sorts}
          onChange={(sort) => change({ sort: sort === 'name' ? undefined : sort })}
        />
      </div>
      {isFiltered(search) && (
        <Button look="quiet" size="small" onClick={clear}>
          <X className="size-4" aria-hidden /> Clear
        </Button>
      )}
      <div className="flex items-center gap-2 sm:ml-auto">
        <label className="inline-flex h-9 items-center gap-2 text-[13px] text-ink-soft">
          <input
            type="checkbox"
            className="size-4 accent-(--primary)"
            checked={search.by === 'project'}
            onChange={(event) => change({ by: event.target.checked ? 'project' : undefined })}
          />
          By project
        </label>
        <Segmented
          label="View"
          value={search.view ?? 'grid'}
          onChange={(view) => change({ view: view === 'table' ? 'table' : undefined })}
          options={[
            { value: 'grid', name: 'Cards', label: <LayoutGrid className="size-4" aria-hidden /> },
            { value: 'table', name: 'Table', label: <Rows3 className="size-4" aria-hidden /> },
          ]}
        />
      </div>
    </div>
  );
}
