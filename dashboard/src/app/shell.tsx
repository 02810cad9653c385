import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { SignIn } from '~/session/sign-in';
import { Toasts } from '~/ui/toast';
import { Announcer } from './announcer';
import { Connection } from './connection';
import { BottomRooms, TopRooms } from './navigation';
import { useRooms } from './rooms';

const Palette = lazy(() => import('./palette'));

/** What stands around every room. */
export function Shell() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const rooms = useRooms();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setPaletteOpen((isOpen) => !isOpen);
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  return (
    <>
      <div className="dunes" aria-hidden />
      <a
        href="#content"
        className="sr-only rounded-lg bg-panel-solid px-4 py-2 font-medium focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-50"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>

      <header className="glass sticky top-0 z-30 border-b border-line">
        <div className="mx-auto flex h-14 max-w-[1560px] items-center gap-2 px-4 sm:px-6">
          <Link to="/" className="mr-3 flex items-center gap-2.5" aria-label="Mirage, home">
            <img src="/favicon.svg" alt="" className="size-7" />
            <span className="text-[17px] font-semibold tracking-tight">Mirage</span>
          </Link>
          <TopRooms rooms={rooms} />
          <div className="ml-auto flex items-center gap-1">
            <Connection />
            <button
              type="button"
              onClick={() => setPaletteOpen(true)}
              aria-label="Find anything"
              className="flex h-9 items-center gap-2 rounded-[9px] border border-line-strong bg-panel-raised px-2.5 text-ink-soft hover:border-primary"
            >
              <Search className="size-4" aria-hidden />
              <span className="hidden xl:inline">Find anything</span>
              <kbd className="hidden rounded border border-line px-1 font-mono text-[11px] xl:inline">Ctrl K</kbd>
            </button>
          </div>
        </div>
      </header>

      <main
        id="content"
        ref={main}
        tabIndex={-1}
        className="mx-auto max-w-[1560px] px-4 pt-6 pb-28 outline-none sm:px-6 lg:pb-16"
        data-room={path}
      >
        <Outlet />
      </main>

      <BottomRooms rooms={rooms} />
      <Announcer />
      <Toasts />
      {isPaletteOpen && (
        <Suspense>
          <Palette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
      <SignIn />
    </>
  );
}
