import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronLeft, ExternalLink } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { lazy, Suspense, useCallback, useRef } from 'react';
import type { Environment } from '~/api/kinds';
import { hostOf, projectOf, safeUrl, typeOf, type Place } from '~/environments/facts';
import { healthOf, isDrifted } from '~/environments/health';
import { TimeLeft } from '~/environments/life-bar';
import { QuickActions } from '~/environments/quick-actions';
import { usePart } from '~/environments/useEnvironments';
import { TypeMark } from '~/environments/type-mark';
import { restartFeeds } from '~/live/useLive';
import type { Snapshot } from '~/live/snapshot';
import { Button, buttonClass } from '~/ui/button';
import { Nothing, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';
import { Mark, Status } from '~/ui/status';
import { Attention } from './attention';
import { DriftTab } from './drift-tab';
import { HistoryTab } from './history-tab';
import { Overview } from './overview';
import { tabOf, tabs, type Tab } from './tabs';

const GraphTab = lazy(async () => ({ default: (await import('./graph-tab')).GraphTab }));
const YamlTab = lazy(async () => ({ default: (await import('./yaml-tab')).YamlTab }));

const phaseOf = (snapshot: Snapshot<Environment>) => snapshot.phase;
const isWholeOf = (snapshot: Snapshot<Environment>) => snapshot.isWhole;
const problemOf = (snapshot: Snapshot<Environment>) => snapshot.problem;

function find(snapshot: Snapshot<Environment>, { namespace, name }: Place): Environment | undefined {
  for (const environment of snapshot.objects.values()) {
    if (environment.metadata.name === name && environment.metadata.namespace === namespace) return environment;
  }
  return undefined;
}

/** One environment: the reconcile as it happens. */
export function EnvironmentRoom({ place, tab }: { place: Place; tab: Tab }) {
  const navigate = useNavigate();
  const pick = useCallback(
    (snapshot: Snapshot<Environment>): Environment | undefined => find(snapshot, place),
    [place],
  );
  const environment = usePart(pick);
  const phase = usePart(phaseOf);
  const isWhole = usePart(isWholeOf);
  const problem = usePart(problemOf);

  if (!environment) {
    if (problem && phase !== 'live') {
      return <ProblemCard problem={problem} action={<Button onClick={restartFeeds}>Try again</Button>} />;
    }
    if (!isWhole) {
      return (
        <div role="status" aria-label={`Loading ${place.name}`} className="grid gap-4">
          <Skeleton className="h-9 w-64" />
          <Skeleton className="h-72" />
        </div>
      );
    }
    return (
      <div className="panel">
        <Nothing
          title={`There is no ${place.name}`}
          action={
            <Link to="/" className={buttonClass('primary')}>
              To the environments
            </Link>
          }
        >
          It is torn down, or was never made in the namespace {place.namespace}.
        </Nothing>
      </div>
    );
  }

  const health = healthOf(environment);
  const url = safeUrl(environment.status?.url);
  const drifted = environment.status?.drift?.length ?? 0;
  return (
    <>
      <Link to="/" className="mb-2 inline-flex items-center gap-1 text-[13px] text-ink-soft hover:text-ink">
        <ChevronLeft className="size-4" aria-hidden /> Environments
      </Link>
      <header className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="min-w-0 text-2xl font-semibold tracking-tight break-words sm:text-[28px]">{place.name}</h1>
        <TypeMark type={typeOf(environment)} />
        <Status tone={health.tone} word={health.word} isMoving={health.isMoving} />
        {isDrifted(environment) && health.group !== 'drifted' && <Mark tone="warning">drifted</Mark>}
        <span className="text-ink-soft">{projectOf(environment)}</span>
        <TimeLeft environment={environment} />
        <div className="ml-auto flex items-center gap-1.5">
          {url && (
            <a href={url} target="_blank" rel="noopener noreferrer" className={buttonClass('plain', 'small')}>
              <ExternalLink className="size-4" aria-hidden />
              <span className="max-w-52 truncate">{hostOf(url)}</span>
            </a>
          )}
          <QuickActions environment={environment} />
        </div>
      </header>
      <Attention environment={environment} />
      <Tabs.Root
        value={tab}
        onValueChange={(chosen) =>
          void navigate({
            to: '/environments/$namespace/$name',
            params: place,
            search: { tab: tabOf(chosen) },
            resetScroll: false,
          })
        }
      >
        <Tabs.List aria-label="Views" className="mb-4 flex gap-1 overflow-x-auto border-b border-line">
          {tabs.map(({ value, label }) => (
            <Tabs.Trigger
              key={value}
              value={value}
              className="-mb-px border-b-2 border-transparent px-3 py-2 font-medium whitespace-nowrap text-ink-soft hover:text-ink data-[state=active]:border-primary data-[state=active]:text-ink"
            >
              {label}{' '}
              {value === 'drift' && drifted > 0 && (
                <span className="ml-1 rounded-full bg-warning-tint px-1.5 text-xs text-warning tabular-nums">{drifted}</span>
              )}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Suspense fallback={<Skeleton className="h-96" />}>
          <Tabs.Content value="overview" className="outline-none">
            <Overview environment={environment} />
          </Tabs.Content>
          <Tabs.Content value="graph" className="outline-none">
            <GraphTab environment={environment} />
          </Tabs.Content>
          <Tabs.Content value="drift" className="outline-none">
            <DriftTab environment={environment} />
          </Tabs.Content>
          <Tabs.Content
            value="yaml"
            forceMount
            hidden={tab !== 'yaml'}
            className="outline-none"
          >
            <KeptYaml environment={environment} isShown={tab === 'yaml'} />
          </Tabs.Content>
          <Tabs.Content value="history" className="outline-none">
            <HistoryTab environment={environment} />
          </Tabs.Content>
        </Suspense>
      </Tabs.Root>
    </>
  );
}

/** The editor, from when it is first shown: it stays behind the other views, so that what was typed stays too. */
function KeptYaml({ environment, isShown }: { environment: Environment; isShown: boolean }) {
  const wasShown = useRef(false);
  wasShown.current ||= isShown;
  return wasShown.current ? <YamlTab environment={environment} /> : null;
}
