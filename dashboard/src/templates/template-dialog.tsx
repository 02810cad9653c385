import { useState } from 'react';
import { shown } from '~/api/problem';
import type { EnvironmentTemplate } from '~/api/kinds';
import { templates } from '~/api/resource';
import { create, read, replace } from '~/api/write';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import { ProblemNotice } from '~/ui/problem';
import { toast } from '~/ui/toast';
import { placed } from '~/yaml/check';
import { YamlEditor } from '~/yaml/editor';
import { replaced, textOf } from '~/yaml/text';
import { useSchema } from '~/yaml/useSchema';
import { parse } from 'yaml';

const first = `apiVersion: mirage.dev/v1alpha1
kind: EnvironmentTemplate
metadata:
  name: preview
spec:
  description: What it is for, in a sentence.
  base:
    type: ephemeral
    drift: {mode: repair}
  types:
    ephemeral:
      ttl: 3d
`;

interface Props {
  template: EnvironmentTemplate | undefined;
  isShipped: boolean;
  onClose: () => void;
}

/** A template as text; one that ships with Mirage is only looked at. */
export function TemplateDialog({ template, isShipped, onClose }: Props) {
  const schema = useSchema('EnvironmentTemplate');
  const [text, setText] = useState(() => (template ? textOf(template) : first));
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      if (template) {
        const now = await read(templates, template.metadata.name, template.metadata.namespace);
        await replace(templates, replaced(text, { ...now, metadata: { ...now.metadata, resourceVersion: template.metadata.resourceVersion } }));
      } else {
        const object = parse(text) as { metadata?: { namespace?: string } };
        await create(templates, object.metadata?.namespace ?? 'default', object);
      }
      toast('healthy', 'Template saved');
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title={template ? template.metadata.name : 'New template'}
      note={
        isShipped
          ? 'Ships with Mirage. A template of the same name in your namespace takes its place.'
          : 'Environments that use it follow every change of it.'
      }
      footer={
        !isShipped && (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" isBusy={isBusy} onClick={() => void save()}>
              Save
            </Button>
          </>
        )
      }
    >
      <YamlEditor
        label="YAML of the template"
        value={text}
        height="22rem"
        {...(isShipped ? {} : { onChange: setText })}
        schema={schema}
        faults={error === undefined ? [] : placed(text, shown(error).causes)}
      />
      {error !== undefined && (
        <div className="mt-3">
          <ProblemNotice error={error} />
        </div>
      )}
    </Dialog>
  );
}
