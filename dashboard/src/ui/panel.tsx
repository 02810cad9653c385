import type { ComponentProps, ReactNode } from 'react';
import { classes } from './classes';

/** A surface with a heading. */
export function Panel({
  title,
  note,
  aside,
  children,
  className,
  ...others
}: Omit<ComponentProps<'section'>, 'title'> & { title?: ReactNode; note?: ReactNode; aside?: ReactNode }) {
  return (
    <section className={classes('panel p-4 sm:p-5', className)} {...others}>
      {(title || aside) && (
        <header className="mb-3 flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
          <div className="min-w-0">
            {title && <h2 className="text-[15px] font-semibold">{title}</h2>}
            {note && <p className="text-[13px] text-ink-soft">{note}</p>}
          </div>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

/** The head of a room. */
export function RoomHead({ title, note, children }: { title: ReactNode; note?: ReactNode; children?: ReactNode }) {
  return (
    <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-2xl font-semibold tracking-tight sm:text-[28px]">{title}</h1>
        {note && <p className="mt-0.5 text-ink-soft">{note}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}

/** What is shown where there is nothing. */
export function Nothing({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center px-4 py-12 text-center">
      <svg viewBox="0 0 160 70" className="mb-4 w-40" aria-hidden>
        <circle cx="112" cy="24" r="13" className="fill-primary-tint" />
        <path d="M0 58c28-24 52-20 76-6s46 12 84-12v30H0z" className="fill-primary-tint" />
        <path d="M0 66c36-18 60-10 84-4s46 4 76-6v14H0z" className="fill-primary opacity-35" />
      </svg>
      <h2 className="text-base font-semibold">{title}</h2>
      {children && <div className="mt-1 max-w-md text-ink-soft">{children}</div>}
      {action && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classes('skeleton', className)} />;
}
