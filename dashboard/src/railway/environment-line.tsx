import { Link } from '@tanstack/react-router';
import { ArrowRight, ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { RailwayEnvironment } from '~/api/railway';
import { hostOf, safeUrl } from '~/environments/facts';
import { buttonClass, IconButton } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Mark, Status } from '~/ui/status';
import { Age } from '~/ui/time';
import { isImportable } from './choice';
import { Services } from './services';
import { stateOf } from './state';

interface Props {
  namespace: string;
  environment: RailwayEnvironment;
  isChosen: boolean;
  /** Absent for whoever may not import. */
  onChoose: ((isTaken: boolean) => void) | undefined;
}

/** An environment as it is on Railway: whose it is, how it does, and the way on. */
export function EnvironmentLine({ namespace, environment, isChosen, onChoose }: Props) {
  const [isOpen, setOpen] = useState(false);
  const { name, keeper, keptBy, readable, servicesReady, lastDeployedAt, unmergedChanges } = environment;
  const state = stateOf(environment);
  const url = safeUrl(environment.urls?.[0]);
  return (
    <li className="py-2.5" aria-label={`Environment ${name}`}>
      <div className="flex items-center gap-3">
        <span className="flex w-4 shrink-0 justify-center">
          {onChoose && isImportable(environment) && (
            <input
              type="checkbox"
              aria-label={`Choose ${name}`}
              className="size-4 accent-(--primary)"
              checked={isChosen}
              onChange={(event) => onChoose(event.target.checked)}
            />
          )}
        </span>
        <div className="flex min-w-0 grow flex-wrap items-center gap-x-3 gap-y-0.5">
          <strong className="font-medium break-all">{name}</strong>
          <Status {...state} />
          {readable && state.word !== 'Empty' && (
            <span className="text-[13px] text-ink-soft tabular-nums">{servicesReady} services</span>
          )}
          {unmergedChanges > 0 && (
            <Mark tone="warning" title="Somebody’s staged changes on Railway that are not committed">
              {unmergedChanges} staged
            </Mark>
          )}
          {url && (
            <a href={url} target="_blank" rel="noopener noreferrer" className="max-w-full truncate text-[13px] text-primary hover:underline">
              {hostOf(url)}
            </a>
          )}
          {lastDeployedAt && (
            <span className="text-[13px] text-ink-soft">
              deployed <Age since={lastDeployedAt} suffix=" ago" />
            </span>
          )}
          <span className="ml-auto">
            {keptBy ? (
              <Link
                to="/environments/$namespace/$name"
                params={{ namespace: keptBy.namespace, name: keptBy.name }}
                aria-label={`${keptBy.name}, which manages ${name}`}
                className={buttonClass('quiet', 'small')}
              >
                {keptBy.name} <ArrowRight className="size-4" aria-hidden />
              </Link>
            ) : (
              <Mark tone={keeper === 'managed' ? 'healthy' : 'info'}>{keeper}</Mark>
            )}
          </span>
        </div>
        <IconButton
          label={isOpen ? `Hide the services of ${name}` : `Show the services of ${name}`}
          aria-expanded={isOpen}
          disabled={!readable}
          onClick={() => setOpen(!isOpen)}
          className="size-8 disabled:opacity-40"
        >
          <ChevronDown className={classes('size-4 transition-transform', isOpen && 'rotate-180')} aria-hidden />
        </IconButton>
      </div>
      {isOpen && <Services namespace={namespace} environment={environment} />}
    </li>
  );
}
