import { valueText, type Change } from './record';

/** Field by field, before and after. Values of secrets come as fingerprints, never as themselves. */
export function Changes({ changes }: { changes: Change[] }) {
  return (
    <dl className="mt-2 space-y-1 font-mono text-[12.5px]">
      {changes.map((change) => (
        <div key={change.path} className="rounded-lg bg-inset px-2.5 py-1.5">
          <dt className="break-all text-ink-soft">{change.path}</dt>
          <dd className="break-all">
            {change.before !== undefined && (
              <div className="text-danger">
                <span aria-hidden>− </span>
                <span className="sr-only">before: </span>
                {valueText(change.before)}
              </div>
            )}
            {change.after !== undefined && (
              <div className="text-healthy">
                <span aria-hidden>+ </span>
                <span className="sr-only">after: </span>
                {valueText(change.after)}
              </div>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
