import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { classes } from './classes';

interface Props {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  note?: ReactNode;
  children?: ReactNode;
  footer?: ReactNode;
  isWide?: boolean;
}

export function Dialog({ isOpen, onClose, title, note, children, footer, isWide }: Props) {
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/35 backdrop-blur-[2px]" />
        <Radix.Content
          className={classes(
            'fixed inset-x-3 bottom-3 z-50 mx-auto max-h-[88dvh] animate-rise overflow-auto rounded-2xl border border-line bg-panel-solid p-5 shadow-high',
            'sm:inset-x-6 sm:top-[12vh] sm:bottom-auto',
            isWide ? 'max-w-4xl' : 'max-w-lg',
          )}
          {...(note ? {} : { 'aria-describedby': undefined })}
        >
          <div className="mb-3 flex items-start justify-between gap-4">
            <div>
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {note && <Radix.Description className="mt-0.5 text-ink-soft">{note}</Radix.Description>}
            </div>
            <Radix.Close
              aria-label="Close"
              className="-m-1.5 inline-flex size-8 items-center justify-center rounded-lg text-ink-soft hover:bg-inset-strong"
            >
              <X className="size-4" aria-hidden />
            </Radix.Close>
          </div>
          {children}
          {footer && <div className="mt-5 flex flex-wrap justify-end gap-2">{footer}</div>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
