import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { classes } from '~/ui/classes';
import { Menu } from '~/ui/menu';
import type { Room } from './rooms';

/** How many rooms a phone's bar has place for, beside the menu with the others. */
const ON_A_PHONE = 4;

/** The way to the rooms, at the top of a wide page. */
export function TopRooms({ rooms }: { rooms: readonly Room[] }) {
  return (
    <nav aria-label="Rooms" className="hidden items-center gap-0.5 lg:flex">
      {rooms.map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          className={classes(
            'rounded-[9px] px-3 py-1.5 font-medium text-ink-soft transition-colors hover:bg-inset hover:text-ink',
            'aria-[current=page]:bg-inset-strong aria-[current=page]:text-ink',
          )}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

const place = 'flex min-w-0 flex-col items-center gap-0.5 pt-2 pb-1.5 text-[11px] font-medium text-ink-soft';

/** The same within a thumb's reach, on tablets and phones. */
export function BottomRooms({ rooms }: { rooms: readonly Room[] }) {
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const others = rooms.slice(ON_A_PHONE);
  const isElsewhere = others.some(({ to }) => path.startsWith(to));
  return (
    <nav
      aria-label="Rooms"
      className="glass fixed inset-x-0 bottom-0 z-30 grid auto-cols-fr grid-flow-col border-t border-line pb-[env(safe-area-inset-bottom)] lg:hidden"
    >
      {rooms.map(({ to, label, icon: Icon }, index) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          className={classes(place, 'aria-[current=page]:text-primary', index >= ON_A_PHONE && 'max-sm:hidden')}
        >
          <Icon className="size-5" aria-hidden />
          {label}
        </Link>
      ))}
      <Menu
        trigger={
          <button type="button" className={classes(place, 'sm:hidden', isElsewhere && 'text-primary')}>
            <Ellipsis className="size-5" aria-hidden />
            More
          </button>
        }
        items={others.map(({ to, label, icon: Icon }) => ({
          label,
          icon: <Icon />,
          onSelect: () => void navigate({ to }),
        }))}
      />
    </nav>
  );
}
