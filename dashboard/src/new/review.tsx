import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, Copy, Download, GitBranch, Rocket } from 'lucide-react';
import { useMemo, useState } from 'react';
import { planOf } from '~/api/plan';
import { shown } from '~/api/problem';
import { placeOf } from '~/environments/facts';
import { PlanSteps } from '~/environment/plan-steps';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { toast } from '~/ui/toast';
import { placed } from '~/yaml/check';
import { YamlEditor } from '~/yaml/editor';
import { useSchema } from '~/yaml/useSchema';
import { createAll, namespaceOf, removeSecret, type Made, type SecretDraft } from './create';
import { previewText } from './preview';
import { MadeProgress } from './made-progress';
import { useSettled } from './useSettled';

interface Props {
  text: string;
  secret: SecretDraft | undefined;
  onBack: () => void;
}

/** The YAML that was made, its plan and its cost; then it is made, and one sees how. */
export function Review({ text: first, secret, onBack }: Props) {
  const schema = useSchema('Environment');
  const [text, setText] = useState(first);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<Made>();
  const [isGit, setGit] = useState(false);
  const settled = useSettled(text, 400);
  const plan = useQuery({
    queryKey: ['plan', settled],
    queryFn: () => planOf(secret ? previewText(settled, secret.name) : settled, namespaceOf(settled)),
    retry: false,
    staleTime: 10_000,
    gcTime: 0,
  });
  const failure = error ?? plan.error ?? undefined;
  const faults = useMemo(
    () => (failure === undefined ? [] : placed(text, shown(failure).causes)),
    [failure, text],
  );

  if (made) {
    const place = placeOf(made.environment);
    return (
      <MadeProgress
        place={place}
        onBack={() => setMade(undefined)}
        takeBack={async () => {
          if (made.secret) await removeSecret(place.namespace, made.secret);
        }}
      />
    );
  }

  const name = /^ {2}name: *["']?([\w.-]+)/m.exec(text)?.[1] ?? 'environment';
  const make = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setMade(await createAll(text, secret));
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  const download = () => {
    const address = URL.createObjectURL(new Blob([text], { type: 'application/yaml' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `${name}.yaml`;
    link.click();
    URL.revokeObjectURL(address);
  };
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast('healthy', 'Copied');
  };

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <Panel
        title="What will be declared"
        note="Change it here if you like."
        aside={
          <div className="flex flex-wrap gap-1">
            <Button size="small" look="quiet" onClick={() => void copy()}>
              <Copy className="size-4" aria-hidden /> Copy
            </Button>
            <Button size="small" look="quiet" onClick={download}>
              <Download className="size-4" aria-hidden /> Download
            </Button>
            <Button size="small" look="quiet" onClick={() => setGit(true)}>
              <GitBranch className="size-4" aria-hidden /> Commit to Git instead
            </Button>
          </div>
        }
      >
        <YamlEditor
          label="YAML of the new environment"
          value={text}
          onChange={(next) => {
            setText(next);
            setError(undefined);
          }}
          schema={schema}
          faults={faults}
          height="27rem"
        />
        {secret && (
          <p className="mt-3 text-[13px] text-ink-soft">
            {Object.keys(secret.values).length} secret{' '}
            {Object.keys(secret.values).length === 1 ? 'value goes' : 'values go'} into the Secret{' '}
            <code className="font-mono">{secret.name}</code>, and not into this text.
          </p>
        )}
      </Panel>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
        <Panel title="Plan" note="What Mirage would do on Railway.">
          {plan.error ? (
            <ProblemNotice error={plan.error} action={<Button size="small" onClick={() => void plan.refetch()}>Try again</Button>} />
          ) : plan.data ? (
            <div className="relative max-h-[22rem] overflow-y-auto" tabIndex={0} role="region" aria-label="Plan">
              <PlanSteps plan={plan.data.plan} />
            </div>
          ) : (
            <Skeleton className="h-40" />
          )}
        </Panel>
        {error !== undefined && <ProblemNotice error={error} />}
        <div className="flex flex-wrap items-center justify-between gap-2">
          <Button look="quiet" onClick={onBack}>
            <ChevronLeft className="size-4" aria-hidden /> Back
          </Button>
          <Button look="primary" isBusy={isBusy} onClick={() => void make()}>
            {!isBusy && <Rocket className="size-4" aria-hidden />} Create
            {plan.data && ` · ${plan.data.requests} ${plan.data.requests === 1 ? 'request' : 'requests'}`}
          </Button>
        </div>
      </div>
      {isGit && (
        <Dialog
          isOpen
          onClose={() => setGit(false)}
          title="Commit it to Git instead"
          note="Put the file into your repository; whoever applies the repository makes the environment."
          footer={
            <Button look="primary" onClick={download}>
              <Download className="size-4" aria-hidden /> Download {name}.yaml
            </Button>
          }
        >
          <pre className="overflow-x-auto rounded-xl bg-inset p-3 font-mono text-[13px]">
            {`git switch -c add-${name}\nmv ~/Downloads/${name}.yaml environments/\ngit add environments/${name}.yaml\ngit commit -m "Declare ${name}"\ngit push -u origin add-${name}`}
          </pre>
          {secret && (
            <p className="mt-3 rounded-lg bg-warning-tint px-3 py-2 text-[13px]">
              The secret values are not in the file. Make the Secret {secret.name} yourself, or create it here.
            </p>
          )}
        </Dialog>
      )}
    </div>
  );
}
