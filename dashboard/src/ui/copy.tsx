import { Check, Copy as CopyIcon } from 'lucide-react';
import { useState } from 'react';

/** A value in monospace, and a button that copies it. */
export function Copyable({ label, value }: { label: string; value: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button
      type="button"
      onClick={() => void copy()}
      aria-label={`Copy ${label}`}
      className="group inline-flex max-w-full items-center gap-1.5 rounded-md font-mono text-[12.5px] text-ink hover:text-primary"
    >
      <span className="truncate">{value}</span>
      {isCopied ? (
        <Check className="size-3.5 shrink-0 text-healthy" aria-hidden />
      ) : (
        <CopyIcon className="size-3.5 shrink-0 opacity-50 group-hover:opacity-100" aria-hidden />
      )}
      <span className="sr-only" role="status">
        {isCopied ? 'copied' : ''}
      </span>
    </button>
  );
}
