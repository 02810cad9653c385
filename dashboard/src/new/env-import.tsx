import { useState } from 'react';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Dialog } from '~/ui/dialog';
import { Choice, Field } from '~/ui/field';
import { parseDotenv, soundsSecret } from './dotenv';
import type { DraftVariable } from './draft';

interface Props {
  places: readonly { value: string; label: string }[];
  onImport: (variables: DraftVariable[]) => void;
  onClose: () => void;
}

/** Variables of a `.env` file, pasted or dropped. The file does not leave the browser here. */
export function EnvImport({ places, onImport, onClose }: Props) {
  const [text, setText] = useState('');
  const [service, setService] = useState('');
  const [isOver, setOver] = useState(false);
  const { entries, notUnderstood } = parseDotenv(text);
  const secret = entries.filter(({ name }) => soundsSecret(name)).length;

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Import a .env file"
      note="Paste it, or drop the file on the field. Names that sound secret are marked so; you can change that after."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            disabled={entries.length === 0}
            onClick={() =>
              onImport(entries.map(({ name, value }) => ({ name, value, service, isSecret: soundsSecret(name) })))
            }
          >
            Import {entries.length > 0 ? entries.length : ''}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        <Field label="Content of the file">
          {({ id }) => (
            <textarea
              id={id}
              rows={9}
              value={text}
              spellCheck={false}
              autoFocus
              placeholder={'LOG_LEVEL=info\nSTRIPE_KEY=sk_…'}
              className={classes(
                'w-full rounded-xl border bg-panel-raised p-3 font-mono text-[13px]',
                isOver ? 'border-primary' : 'border-line-strong',
              )}
              onChange={(event) => setText(event.target.value)}
              onDragOver={(event) => {
                event.preventDefault();
                setOver(true);
              }}
              onDragLeave={() => setOver(false)}
              onDrop={(event) => {
                event.preventDefault();
                setOver(false);
                void event.dataTransfer.files[0]?.text().then(setText);
              }}
            />
          )}
        </Field>
        <Choice label="For" value={service} options={places} onChange={setService} />
        <p role="status" className="text-[13px] text-ink-soft">
          {entries.length} found, {secret} of them sound secret.
          {notUnderstood.length > 0 && (
            <span className="text-warning"> Not understood: line {notUnderstood.join(', ')}.</span>
          )}
        </p>
      </div>
    </Dialog>
  );
}
