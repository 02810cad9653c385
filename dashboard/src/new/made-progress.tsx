import { Link } from '@tanstack/react-router';
import { ArrowRight, PartyPopper, RotateCcw, Trash2 } from 'lucide-react';
import { useCallback, useState } from 'react';
import type { Environment } from '~/api/kinds';
import { retry } from '~/environments/actions';
import { DestroyDialog } from '~/environments/destroy-dialog';
import { hostOf, safeUrl, type Place } from '~/environments/facts';
import { usePart } from '~/environments/useEnvironments';
import { healthOf, reasonOf } from '~/environments/health';
import { Progress } from '~/environment/progress-panel';
import { Timeline } from '~/environment/timeline';
import { shown } from '~/api/problem';
import type { Snapshot } from '~/live/snapshot';
import { Button, buttonClass } from '~/ui/button';
import { Panel, Skeleton } from '~/ui/panel';
import { Status } from '~/ui/status';
import { toast } from '~/ui/toast';

/** The environment as it comes up; when it does not, the two ways on. */
export function MadeProgress({ place }: { place: Place }) {
  const pick = useCallback(
    (snapshot: Snapshot<Environment>) =>
      [...snapshot.objects.values()].find(
        ({ metadata }) => metadata.name === place.name && metadata.namespace === place.namespace,
      ),
    [place],
  );
  const environment = usePart(pick);
  const [isDestroying, setDestroying] = useState(false);
  if (!environment) return <Skeleton className="h-96" />;

  const health = healthOf(environment);
  const url = safeUrl(environment.status?.url);
  const reason = reasonOf(environment);
  const again = () =>
    retry(environment)
      .then(() => toast('info', `${place.name} is tried again`))
      .catch((error: unknown) => toast('danger', shown(error).title, shown(error).message));

  return (
    <div className="grid gap-4">
      <Panel
        title={
          <span className="flex flex-wrap items-center gap-3">
            {place.name} <Status tone={health.tone} word={health.word} isMoving={health.isMoving} />
          </span>
        }
        note={health.group === 'ready' ? 'It is up.' : (reason ?? 'Mirage is at work.')}
        aside={
          <div className="flex flex-wrap gap-2">
            {health.group === 'failing' && (
              <>
                <Button onClick={() => void again()}>
                  <RotateCcw className="size-4" aria-hidden /> Resume
                </Button>
                <Button look="danger" onClick={() => setDestroying(true)}>
                  <Trash2 className="size-4" aria-hidden /> Roll back
                </Button>
              </>
            )}
            {url && health.group === 'ready' && (
              <a href={url} target="_blank" rel="noopener noreferrer" className={buttonClass()}>
                <PartyPopper className="size-4" aria-hidden /> {hostOf(url)}
              </a>
            )}
            <Link to="/environments/$namespace/$name" params={place} className={buttonClass('primary')}>
              To the environment <ArrowRight className="size-4" aria-hidden />
            </Link>
          </div>
        }
      />
      <div className="grid items-start gap-4 md:grid-cols-2">
        <Progress environment={environment} />
        <Timeline environment={environment} />
      </div>
      {isDestroying && <DestroyDialog environment={environment} onClose={() => setDestroying(false)} />}
    </div>
  );
}
