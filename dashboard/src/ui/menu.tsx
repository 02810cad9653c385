import { DropdownMenu } from 'radix-ui';
import { useRef, type FocusEvent, type ReactNode } from 'react';
import { classes } from './classes';

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  onSelect: () => void;
  isDangerous?: boolean;
  isDisabled?: boolean;
}

/** Actions behind a button. */
export function Menu({
  trigger,
  items,
  openedBy,
}: {
  trigger: ReactNode;
  items: MenuItem[];
  /** It comes into being opened, by this. */
  openedBy?: 'pointer' | 'keyboard' | undefined;
}) {
  const isEntering = useRef(openedBy === 'keyboard');
  // The menu was not there to see the key that opened it, after which the first entry is the chosen one.
  const enter = (event: FocusEvent<HTMLElement>) => {
    if (!isEntering.current || event.target !== event.currentTarget) return;
    isEntering.current = false;
    event.currentTarget.querySelector<HTMLElement>('[role=menuitem]:not([data-disabled])')?.focus();
  };
  return (
    <DropdownMenu.Root modal={false} defaultOpen={openedBy !== undefined}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          onFocus={enter}
          className="z-50 min-w-44 animate-rise rounded-xl border border-line bg-panel-solid p-1 shadow-high"
        >
          {items.map((item) => (
            <DropdownMenu.Item
              key={item.label}
              disabled={item.isDisabled ?? false}
              onSelect={item.onSelect}
              className={classes(
                'flex cursor-pointer items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none data-[disabled]:cursor-not-allowed data-[disabled]:opacity-50 data-[highlighted]:bg-inset-strong',
                item.isDangerous && 'text-danger',
              )}
            >
              <span className="[&>svg]:size-4" aria-hidden>
                {item.icon}
              </span>
              {item.label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
