import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { MonitorCog, Moon, Sun } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { placeOf, projectOf, typeOf } from '~/environments/facts';
import { healthOf } from '~/environments/health';
import { select } from '~/environments/selection';
import { TypeMark } from '~/environments/type-mark';
import { useEnvironments } from '~/environments/useEnvironments';
import { choose, type Mode } from '~/theme/mode';
import { Status } from '~/ui/status';
import { useRooms } from './rooms';

const themes: readonly { mode: Mode; label: string; icon: ReactNode }[] = [
  { mode: 'light', label: 'Light theme', icon: <Sun /> },
  { mode: 'dark', label: 'Dark theme', icon: <Moon /> },
  { mode: 'system', label: "The system's theme", icon: <MonitorCog /> },
];

/** More than these nobody reads in a list that one types into. */
const MOST = 200;

/** Everything by typing: environments, rooms, themes. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const rooms = useRooms();
  const { objects } = useEnvironments();
  const environments = select(objects.values(), { sort: 'status' }).slice(0, MOST);
  const go = (act: () => unknown) => {
    onClose();
    void act();
  };
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-black/30 backdrop-blur-[2px]" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-xl animate-rise overflow-hidden rounded-2xl border border-line bg-panel-solid shadow-high"
        >
          <Dialog.Title className="sr-only">Find anything</Dialog.Title>
          <Command loop label="Find anything">
            <Command.Input
              placeholder="Environment, room or theme…"
              className="h-13 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-ink-faint"
            />
            <Command.List className="max-h-[50vh] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-8 text-center text-ink-soft">Nothing is called like that.</Command.Empty>
              <Section heading="Rooms">
                {rooms.map(({ to, label, icon: Icon }) => (
                  <Item key={to} value={`room ${label}`} onSelect={() => go(() => navigate({ to }))}>
                    <Icon /> {label}
                  </Item>
                ))}
              </Section>
              {environments.length > 0 && (
                <Section heading="Environments">
                  {environments.map((environment) => {
                    const place = placeOf(environment);
                    const health = healthOf(environment);
                    return (
                      <Item
                        key={environment.metadata.uid}
                        value={`${place.name} ${projectOf(environment)} ${place.namespace} ${environment.metadata.uid}`}
                        onSelect={() => go(() => navigate({ to: '/environments/$namespace/$name', params: place }))}
                      >
                        <TypeMark type={typeOf(environment)} />
                        <span className="truncate">{place.name}</span>
                        <span className="ml-auto">
                          <Status tone={health.tone} word={health.word} />
                        </span>
                      </Item>
                    );
                  })}
                </Section>
              )}
              <Section heading="Look">
                {themes.map(({ mode, label, icon }) => (
                  <Item key={mode} value={label} onSelect={() => go(() => choose(mode))}>
                    {icon} {label}
                  </Item>
                ))}
              </Section>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Section({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-soft"
    >
      {children}
    </Command.Group>
  );
}

function Item({ value, onSelect, children }: { value: string; onSelect: () => void; children: ReactNode }) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-10 cursor-pointer items-center gap-2.5 rounded-lg px-2.5 data-[selected=true]:bg-inset-strong [&>svg]:size-4 [&>svg]:text-ink-soft"
    >
      {children}
    </Command.Item>
  );
}
