import type { EnvironmentType } from '~/api/kinds';
import { classes } from '~/ui/classes';

const looks: Record<EnvironmentType, string> = {
  prod: 'bg-prod-tint text-prod',
  staging: 'bg-staging-tint text-staging',
  dev: 'bg-dev-tint text-dev',
  ephemeral: 'bg-ephemeral-tint text-ephemeral',
};

/** What an environment is for: a colour and the word. */
export function TypeMark({ type }: { type: EnvironmentType }) {
  return (
    <span className={classes('inline-flex h-[22px] items-center rounded-md px-1.5 text-xs font-semibold', looks[type])}>
      {type}
    </span>
  );
}
