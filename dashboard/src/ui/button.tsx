import type { ComponentProps } from 'react';
import { classes } from './classes';

export type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const looks: Record<Look, string> = {
  primary: 'bg-primary text-primary-ink hover:bg-primary-hover shadow-panel',
  plain: 'border border-line-strong bg-panel-raised text-ink hover:border-primary',
  quiet: 'text-ink-soft hover:bg-inset-strong hover:text-ink',
  danger: 'bg-danger text-panel-solid hover:opacity-90',
};

/** How a button looks, for what is a link. */
export function buttonClass(look: Look = 'plain', size: 'small' | 'normal' = 'normal'): string {
  return classes(
    'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-[9px] font-medium whitespace-nowrap transition-colors duration-150',
    'disabled:opacity-55 aria-disabled:opacity-55',
    size === 'small' ? 'h-8 px-2.5 text-[13px]' : 'h-9 px-3.5 text-sm',
    looks[look],
  );
}

interface Props extends ComponentProps<'button'> {
  look?: Look;
  size?: 'small' | 'normal';
  isBusy?: boolean;
}

export function Button({ look, size, isBusy, className, children, disabled, ...others }: Props) {
  return (
    <button
      type="button"
      className={classes(buttonClass(look, size), className)}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      {...others}
    >
      {isBusy && <Spinner />}
      {children}
    </button>
  );
}

/** A button that shows only a picture; `label` says what it does. */
export function IconButton({ label, className, ...others }: ComponentProps<'button'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classes(
        'inline-flex size-9 shrink-0 items-center justify-center rounded-[9px] text-ink-soft transition-colors hover:bg-inset-strong hover:text-ink',
        className,
      )}
      {...others}
    />
  );
}

export function Spinner() {
  return (
    <span
      aria-hidden
      className="size-3.5 animate-spin rounded-full border-2 border-current border-t-transparent opacity-70"
    />
  );
}
