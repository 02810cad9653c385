import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Button, buttonClass } from '~/ui/button';
import { Nothing } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';

/** An address that leads nowhere. */
export function Lost() {
  return (
    <div className="panel">
      <Nothing
        title="There is nothing here"
        action={
          <Link to="/" className={buttonClass('primary')}>
            To the environments
          </Link>
        }
      >
        The address may be mistyped, or what it named is gone.
      </Nothing>
    </div>
  );
}

/** A room that broke; the others still stand. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return <ProblemNotice error={error} action={<Button onClick={reset}>Try again</Button>} />;
}
