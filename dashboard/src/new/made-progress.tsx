import { Link } from '@tanstack/react-router';
import { ArrowRight, ChevronLeft, PartyPopper, RotateCcw, Trash2 } from 'lucide-react';
import { useCallback, useState } from 'react';
import type { Environment } from '~/api/kinds';
import { shown } from '~/api/problem';
import { answer, answered, askOf, type Ask } from '~/environment/ask';
import { nextStep } from '~/environment/next-step';
import { Progress } from '~/environment/progress-panel';
import { Timeline } from '~/environment/timeline';
import { DestroyDialog } from '~/environments/destroy-dialog';
import { hostOf, isRetainedAtTheEnd, safeUrl, servicesOf, type Place } from '~/environments/facts';
import { healthOf, reasonOf, type Health } from '~/environments/health';
import { usePart } from '~/environments/useEnvironments';
import type { Snapshot } from '~/live/snapshot';
import { Button, buttonClass } from '~/ui/button';
import { Nothing, Panel, Skeleton } from '~/ui/panel';
import { Status } from '~/ui/status';
import { toast } from '~/ui/toast';

interface Props {
  place: Place;
  /** To what was written, as it was written. */
  onBack: () => void;
  /** Takes back what was made beside the environment. */
  takeBack?: () => Promise<void>;
}

/** The environment as it comes up; when it does not, the two ways on. */
export function MadeProgress({ place, onBack, takeBack }: Props) {
  const pick = useCallback(
    (snapshot: Snapshot<Environment>) =>
      [...snapshot.objects.values()].find(
        ({ metadata }) => metadata.name === place.name && metadata.namespace === place.namespace,
      ),
    [place.name, place.namespace],
  );
  const environment = usePart(pick);
  // What is left of it when it goes is known only as long as it is there.
  const [left, setLeft] = useState<string>();
  const [isUndoing, setUndoing] = useState(false);
  if (!environment) return left ? <Gone name={place.name} left={left} onBack={onBack} /> : <Skeleton className="h-96" />;
  const leaves = isRetainedAtTheEnd(environment)
    ? 'Its Railway environment stays as it is, without Mirage’s mark.'
    : 'Nothing of it is left on Railway but its project.';
  if (leaves !== left) setLeft(leaves);

  const health = healthOf(environment);
  const { total } = servicesOf(environment);
  return (
    <div className="grid gap-4">
      <Panel
        title={
          <span className="flex flex-wrap items-center gap-3">
            {place.name} <Status tone={health.tone} word={health.word} isMoving={health.isMoving} />
          </span>
        }
        note={<Note environment={environment} health={health} />}
        aside={<WaysOn environment={environment} place={place} health={health} onUndo={() => setUndoing(true)} />}
      />
      <div className="grid items-start gap-4 md:grid-cols-2">
        <Progress environment={environment} />
        <Timeline environment={environment} />
      </div>
      {isUndoing && (
        <DestroyDialog
          environment={environment}
          onClose={() => setUndoing(false)}
          undo={{
            note: `What was made of its ${total} service${total === 1 ? '' : 's'} is removed from Railway again; the project stays. What you wrote is kept here, to be corrected.`,
            also: async () => takeBack?.(),
          }}
        />
      )}
    </div>
  );
}

/** How it stands, and what a person can do where Mirage cannot go on. */
function Note({ environment, health }: { environment: Environment; health: Health }) {
  if (environment.metadata.deletionTimestamp) return 'What was made is being removed from Railway again.';
  if (health.group === 'ready') return 'It is up.';
  const step = isStuck(health) ? nextStep(environment) : undefined;
  return (
    <>
      <span className="block break-words">{reasonOf(environment) ?? 'Mirage is at work.'}</span>
      {step && <span className="block break-words text-ink">{step}</span>}
    </>
  );
}

/** Whether it does not come up by itself. */
const isStuck = ({ group }: Health): boolean => group === 'failing' || group === 'waiting';

function WaysOn({
  environment,
  place,
  health,
  onUndo,
}: {
  environment: Environment;
  place: Place;
  health: Health;
  onUndo: () => void;
}) {
  const ask = askOf(environment);
  const url = safeUrl(environment.status?.url);
  const go = (to: Ask) =>
    answer(environment, to)
      .then(() => toast('info', answered(environment, to)))
      .catch((error: unknown) => toast('danger', shown(error).title, shown(error).message));
  return (
    <div className="flex flex-wrap gap-2">
      {ask && (
        <Button look="primary" onClick={() => void go(ask)}>
          <RotateCcw className="size-4" aria-hidden /> {ask.kind === 'approve' ? `Approve plan ${ask.hash}` : 'Resume'}
        </Button>
      )}
      {isStuck(health) && (
        <Button look="danger" onClick={onUndo}>
          <Trash2 className="size-4" aria-hidden /> Roll back
        </Button>
      )}
      {url && health.group === 'ready' && (
        <a href={url} target="_blank" rel="noopener noreferrer" className={buttonClass()}>
          <PartyPopper className="size-4" aria-hidden /> {hostOf(url)}
        </a>
      )}
      <Link to="/environments/$namespace/$name" params={place} className={ask ? buttonClass() : buttonClass('primary')}>
        To the environment <ArrowRight className="size-4" aria-hidden />
      </Link>
    </div>
  );
}

function Gone({ name, left, onBack }: { name: string; left: string; onBack: () => void }) {
  return (
    <Panel>
      <Nothing
        title={`${name} is rolled back`}
        action={
          <>
            <Button look="primary" onClick={onBack}>
              <ChevronLeft className="size-4" aria-hidden /> Back to what was written
            </Button>
            <Link to="/" className={buttonClass()}>
              To the environments
            </Link>
          </>
        }
      >
        {left}
      </Nothing>
    </Panel>
  );
}
