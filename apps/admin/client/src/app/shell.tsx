import { Button } from '@mantine/core';
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { useEvents } from '../api/events.js';
import { useSession, type Session } from '../api/session.js';
import { useStatus } from '../api/status.js';
import { Mark } from '../components/badges.js';
import { visibleText } from '../components/format.js';
import { Icon } from '../components/icons.js';
import { Loading } from '../components/states.js';
import { Banners } from './banners.js';
import { Navigation } from './navigation.js';
import { usePreferences } from './preferences.js';
import { useShortcuts } from './shortcuts.js';
import { SignedOut } from './signed-out.js';
import { Toolbar } from './toolbar.js';

const Palette = lazy(() => import('./palette.js').then((module) => ({ default: module.Palette })));
const ShortcutHelp = lazy(() =>
  import('./shortcut-help.js').then((module) => ({ default: module.ShortcutHelp })),
);

/** Puts the focus where reading begins when another page was opened, and says nothing on the first one. */
function useFocusOnPage(path: string) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}

function useGoToSearch(): () => void {
  const navigate = useNavigate();
  return useCallback(() => {
    const field = () => document.querySelector<HTMLInputElement>('[data-page-search]');
    const here = field();
    if (here !== null) here.focus();
    else void navigate({ to: '/sbis' }).then(() => setTimeout(() => field()?.focus(), 150));
  }, [navigate]);
}

function Head({ session, onMenu, menu }: { session: Session; readonly onMenu: () => void; menu: boolean }) {
  const status = useStatus().data;
  return (
    <>
      <Button
        className="shell-menu"
        variant="subtle"
        color="gray"
        size="compact-sm"
        aria-label="Pages"
        aria-expanded={menu}
        aria-controls="shell-nav"
        onClick={onMenu}
      >
        <Icon name="menu" />
      </Button>
      <span className="shell-name">DeeSpec Storage</span>
      <span className="shell-tree" title={session.project}>
        {visibleText(session.project, 60)}
      </span>
      {status !== undefined && <Mark tone="plain">{`mode ${status.mode}`}</Mark>}
      {session.readOnly && <Mark tone="attention">read-only</Mark>}
    </>
  );
}

function Frame({ session }: { readonly session: Session }) {
  const { live } = usePreferences();
  const stream = useEvents(live);
  const status = useStatus().data;
  const path = useRouterState({ select: (state) => state.location.pathname });
  const main = useFocusOnPage(path);
  const [menu, setMenu] = useState(false);
  const [dialog, setDialog] = useState<'palette' | 'help'>();
  const openPalette = useCallback(() => setDialog('palette'), []);
  const openHelp = useCallback(() => setDialog('help'), []);
  const closeDialog = useCallback(() => setDialog(undefined), []);
  useShortcuts({ openPalette, openHelp, search: useGoToSearch() });
  const counts = {
    '/conflicts': status?.conflicts ?? 0,
    '/quarantine': status?.database.rows?.quarantined ?? 0,
  };
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="shell-header">
        <Head session={session} menu={menu} onMenu={() => setMenu(!menu)} />
        <Toolbar stream={stream} openPalette={openPalette} openHelp={openHelp} />
      </header>
      <div className="shell-nav" id="shell-nav" data-open={menu}>
        <Navigation counts={counts} onChoose={() => setMenu(false)} />
      </div>
      <div className="shell-banner">{status !== undefined && <Banners status={status} />}</div>
      <main className="shell-main" id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <Suspense>
        {dialog === 'palette' && <Palette onClose={closeDialog} />}
        {dialog === 'help' && <ShortcutHelp onClose={closeDialog} />}
      </Suspense>
    </div>
  );
}

/** What is around every page: header, navigation, banners; without a session how to get one. */
export function Shell() {
  const session = useSession();
  if (session.data !== undefined) return <Frame session={session.data} />;
  if (session.error !== null) {
    return <SignedOut error={session.error} retry={() => void session.refetch()} />;
  }
  return <Loading what="the session" />;
}
