import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { shown, type Problem } from '~/api/problem';

/** A failure, with its next step. */
export function ProblemNotice({ error, action }: { error: unknown; action?: ReactNode }) {
  const problem = shown(error);
  return <ProblemCard problem={problem} action={action} />;
}

export function ProblemCard({ problem, action }: { problem: Problem; action?: ReactNode }) {
  return (
    <div role="alert" className="rounded-xl border border-danger-dot/40 bg-danger-tint p-4">
      <div className="flex gap-3">
        <TriangleAlert className="mt-0.5 size-[18px] shrink-0 text-danger" aria-hidden />
        <div className="min-w-0 grow">
          <h3 className="font-semibold text-danger">{problem.title}</h3>
          {problem.message && <p className="mt-0.5 break-words text-ink">{problem.message}</p>}
          {problem.causes.length > 0 && (
            <ul className="mt-2 space-y-1">
              {problem.causes.map((cause, index) => (
                <li key={index} className="break-words">
                  {cause.field && <code className="mr-1.5 font-mono text-[13px] font-medium">{cause.field}</code>}
                  {cause.message}
                </li>
              ))}
            </ul>
          )}
          <p className="mt-1.5 text-ink-soft">{problem.nextStep}</p>
          {action && <div className="mt-3 flex flex-wrap gap-2">{action}</div>}
        </div>
      </div>
    </div>
  );
}
