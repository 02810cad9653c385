import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useMay } from '~/api/access';
import type { EnvironmentTemplate } from '~/api/kinds';
import { templates } from '~/api/resource';
import { restartFeeds, useLive, whole } from '~/live/useLive';
import { useEnvironments } from '~/environments/useEnvironments';
import { Button, buttonClass } from '~/ui/button';
import { RoomHead, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';
import { Mark } from '~/ui/status';
import { shipped } from './shipped';

const TemplateDialog = lazy(async () => ({ default: (await import('./template-dialog')).TemplateDialog }));

/** What environments have in common: those of yours, and those that ship with Mirage. */
export function TemplatesRoom() {
  const { objects, isWhole, problem } = useLive({ resource: templates }, whole<EnvironmentTemplate>);
  const { objects: environments } = useEnvironments();
  const [shown, setShown] = useState<EnvironmentTemplate | 'new'>();
  const mayCreate = useMay('create', templates, 'default');
  const own = [...objects.values()].sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));
  const users = (name: string) =>
    [...environments.values()].filter((environment) => environment.spec.templateRef?.name === name).length;

  return (
    <>
      <RoomHead title="Templates" note="What environments have in common, layer by layer: base, then type, then their own.">
        <Button look="primary" disabled={mayCreate === false} onClick={() => setShown('new')}>
          <Plus className="size-4" aria-hidden /> New template
        </Button>
      </RoomHead>
      {problem && !isWhole && <ProblemCard problem={problem} action={<Button onClick={restartFeeds}>Try again</Button>} />}
      <div className="grid gap-3.5 sm:grid-cols-2 xl:grid-cols-3">
        {!isWhole && !problem && <Skeleton className="h-40" />}
        {own.map((template) => (
          <TemplateCard key={template.metadata.uid} template={template} users={users(template.metadata.name)} onOpen={setShown} />
        ))}
        {shipped.map((template) => (
          <TemplateCard
            key={template.metadata.name}
            template={template}
            users={users(template.metadata.name)}
            isShipped
            onOpen={setShown}
          />
        ))}
      </div>
      {shown && (
        <Suspense>
          <TemplateDialog
            template={shown === 'new' ? undefined : shown}
            isShipped={shown !== 'new' && shipped.includes(shown)}
            onClose={() => setShown(undefined)}
          />
        </Suspense>
      )}
    </>
  );
}

function TemplateCard({
  template,
  users,
  isShipped,
  onOpen,
}: {
  template: EnvironmentTemplate;
  users: number;
  isShipped?: boolean;
  onOpen: (template: EnvironmentTemplate) => void;
}) {
  const { name } = template.metadata;
  const types = Object.keys(template.spec.types ?? {});
  const parameters = Object.keys(template.spec.parameters ?? {});
  return (
    <article className="panel flex flex-col p-4" aria-label={`Template ${name}`}>
      <div className="flex items-center gap-2">
        <h2 className="text-[15px] font-semibold">{name}</h2>
        {isShipped && <Mark tone="info">ships with Mirage</Mark>}
        <span className="ml-auto text-[13px] text-ink-soft">
          {users} {users === 1 ? 'environment' : 'environments'}
        </span>
      </div>
      <p className="mt-1 text-ink-soft">{template.spec.description ?? 'No description.'}</p>
      <p className="mt-2 text-[13px] text-ink-soft">
        {types.length > 0 ? `Layers: base, ${types.join(', ')}` : 'Layer: base'}
        {parameters.length > 0 && ` · Parameters: ${parameters.join(', ')}`}
      </p>
      <div className="mt-auto flex gap-2 pt-4">
        <Button size="small" onClick={() => onOpen(template)}>
          {isShipped ? 'Look' : 'Look and edit'}
        </Button>
        <Link to="/new" search={{ template: name }} className={buttonClass('quiet', 'small')}>
          Use it
        </Link>
      </div>
    </article>
  );
}
