import type { ImportItem } from '~/api/railway';

/** What is in the way of an import, what it would change, and what it leaves alone. */
export function Findings({ item: { problems = [], plan = [], remarks = [] } }: { item: ImportItem }) {
  return (
    <>
      {problems.length > 0 && (
        <ul className="mt-2 space-y-1 rounded-lg bg-danger-tint px-3 py-2" aria-label="In the way">
          {problems.map(({ reason, message }, index) => (
            <li key={index} className="break-words">
              <strong className="mr-1.5 text-[13px] font-medium text-danger">{reason}</strong>
              {message}
            </li>
          ))}
        </ul>
      )}
      <Sentences label="Would have to be changed on Railway" sentences={plan} />
      <Sentences label="Stays on Railway as it is, for the spec cannot say it" sentences={remarks} />
    </>
  );
}

function Sentences({ label, sentences }: { label: string; sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <div className="mt-2 rounded-lg bg-inset px-3 py-2 text-[13px]">
      <p className="text-ink-soft">{label}</p>
      <ul className="mt-1 list-disc space-y-0.5 pl-4">
        {sentences.map((sentence) => (
          <li key={sentence} className="break-words">
            {sentence}
          </li>
        ))}
      </ul>
    </div>
  );
}
