import { useQuery } from '@tanstack/react-query';
import { ClipboardCheck, ListChecks, RotateCcw, Save } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import type { Environment } from '~/api/kinds';
import { planOf, type PlannedChange } from '~/api/plan';
import { shown } from '~/api/problem';
import { environments } from '~/api/resource';
import { read, replace } from '~/api/write';
import { placeOf } from '~/environments/facts';
import { Button } from '~/ui/button';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Mark } from '~/ui/status';
import { toast } from '~/ui/toast';
import { placed } from '~/yaml/check';
import { YamlEditor } from '~/yaml/editor';
import { MergeDialog } from '~/yaml/merge-dialog';
import { replaced, textOf } from '~/yaml/text';
import { useSchema } from '~/yaml/useSchema';
import { PlanSteps } from './plan-steps';

/** The spec as text: edit, dry-run, plan, apply. What is typed here stays until it is applied or thrown away. */
export function YamlTab({ environment }: { environment: Environment }) {
  const place = placeOf(environment);
  // The whole object, of which a feed keeps only a part.
  const stored = useQuery({
    queryKey: ['object', environment.metadata.uid, environment.metadata.generation],
    queryFn: () => read(environments, place.name, place.namespace),
    staleTime: Infinity,
    placeholderData: (before) => before,
  });
  if (stored.error) return <ProblemNotice error={stored.error} action={<Button onClick={() => void stored.refetch()}>Try again</Button>} />;
  if (!stored.data) return <Skeleton className="h-[30rem]" />;
  return <Editing key={environment.metadata.uid} latest={stored.data} />;
}

type Doing = 'dry-run' | 'plan' | 'apply';

function Editing({ latest }: { latest: Environment }) {
  const schema = useSchema('Environment');
  /** What the text began as: the third side of a merge. */
  const [base, setBase] = useState(latest);
  const [text, setText] = useState(() => textOf(latest));
  const [doing, setDoing] = useState<Doing>();
  const [error, setError] = useState<unknown>();
  const [plan, setPlan] = useState<PlannedChange>();
  const [isAccepted, setAccepted] = useState(false);
  const [theirs, setTheirs] = useState<Environment>();
  const { name, namespace } = placeOf(base);

  const isChanged = text !== textOf(base);
  const isOvertaken = textOf(latest) !== textOf(base);

  // Whoever has typed nothing sees the newest text; whoever has keeps theirs.
  useEffect(() => {
    if (!isChanged && isOvertaken) {
      setBase(latest);
      setText(textOf(latest));
    }
  }, [latest, isChanged, isOvertaken]);

  const faults = useMemo(() => (error === undefined ? [] : placed(text, shown(error).causes)), [error, text]);

  const edit = (next: string) => {
    setText(next);
    setPlan(undefined);
    setAccepted(false);
    setError(undefined);
  };

  const run = async (what: Doing) => {
    setDoing(what);
    setError(undefined);
    try {
      if (what === 'plan') {
        setPlan(await planOf(text, namespace));
      } else if (what === 'dry-run') {
        await save(text, base, true);
        setAccepted(true);
      } else {
        const object = await save(text, base, false);
        setBase(object);
        setText(textOf(object));
        setPlan(undefined);
        setAccepted(false);
        toast('healthy', `${name} applied`, `Generation ${object.metadata.generation ?? ''}`);
      }
    } catch (failure) {
      if (failure instanceof Overtaken) setTheirs(failure.theirs);
      else setError(failure);
    } finally {
      setDoing(undefined);
    }
  };

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 xl:grid-cols-[minmax(0,1fr)_26rem]">
      <Panel
        title="Spec"
        note={
          isChanged
            ? 'Not applied yet.'
            : `As stored, generation ${base.metadata.generation ?? ''}. Ctrl-Space completes; Escape, then Tab leaves the editor.`
        }
        aside={
          <div className="flex flex-wrap gap-2">
            {isChanged && (
              <Button
                size="small"
                look="quiet"
                onClick={() => {
                  setBase(latest);
                  edit(textOf(latest));
                }}
              >
                <RotateCcw className="size-4" aria-hidden /> Throw away
              </Button>
            )}
            <Button size="small" isBusy={doing === 'dry-run'} onClick={() => void run('dry-run')}>
              <ClipboardCheck className="size-4" aria-hidden /> Dry run
            </Button>
            <Button size="small" isBusy={doing === 'plan'} onClick={() => void run('plan')}>
              <ListChecks className="size-4" aria-hidden /> Plan
            </Button>
            <Button
              size="small"
              look="primary"
              isBusy={doing === 'apply'}
              disabled={!isChanged}
              onClick={() => void run('apply')}
            >
              <Save className="size-4" aria-hidden /> Apply
            </Button>
          </div>
        }
      >
        {isChanged && isOvertaken && (
          <p role="status" className="mb-3 rounded-lg bg-warning-tint px-3 py-2">
            Someone else applied another version meanwhile. When you apply, both changes are brought together first.
          </p>
        )}
        <YamlEditor label={`YAML of ${name}`} value={text} onChange={edit} schema={schema} faults={faults} height="34rem" />
      </Panel>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
        {error !== undefined && <ProblemNotice error={error} />}
        {isAccepted && (
          <p role="status">
            <Mark tone="healthy">The server accepts this text</Mark>
          </p>
        )}
        <Panel title="Plan" note="What applying this text would do on Railway.">
          {plan ? <PlanSteps plan={plan.plan} /> : <p className="text-ink-soft">Press “Plan” to see it. Nothing is done.</p>}
        </Panel>
      </div>
      {theirs && (
        <MergeDialog
          mine={text}
          base={textOf(base)}
          theirs={textOf(theirs)}
          onClose={() => setTheirs(undefined)}
          onMerged={(merged) => {
            setBase(theirs);
            edit(merged);
            setTheirs(undefined);
          }}
        />
      )}
    </div>
  );
}

/** Someone else changed the text that we started from. */
class Overtaken extends Error {
  constructor(readonly theirs: Environment) {
    super('someone else changed it meanwhile');
  }
}

/** The controllers write status all the time, which makes a version old and the text no other; then it is sent again. */
const TRIES = 5;

async function save(text: string, base: Environment, isDryRun: boolean): Promise<Environment> {
  let before = base;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { object } = await replace(environments, replaced(text, before), isDryRun);
      return object;
    } catch (failure) {
      if (shown(failure).kind !== 'conflict' || attempt === TRIES) throw failure;
      const { name, namespace } = placeOf(base);
      const now = await read(environments, name, namespace);
      if (textOf(now) !== textOf(base)) throw new Overtaken(now);
      before = now;
    }
  }
}
