import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react';

/** In which zone times are shown. */
export type Zone = 'local' | 'utc';

interface Preferences {
  readonly zone: Zone;
  readonly setZone: (zone: Zone) => void;
  /** False while the user has paused live updates; not kept over a reload. */
  readonly live: boolean;
  readonly setLive: (live: boolean) => void;
}

const zoneKey = 'deespec-zone';
const Context = createContext<Preferences | undefined>(undefined);

/** Keeps what the user chose; the zone outlives the page. The colour scheme is kept by Mantine. */
export function PreferencesProvider({ children }: { readonly children: ReactNode }) {
  const [zone, keepZone] = useState<Zone>(() => (localStorage.getItem(zoneKey) === 'utc' ? 'utc' : 'local'));
  const [live, setLive] = useState(true);
  const setZone = useCallback((value: Zone) => {
    localStorage.setItem(zoneKey, value);
    keepZone(value);
  }, []);
  const value = useMemo(() => ({ zone, setZone, live, setLive }), [zone, setZone, live]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** What the user chose; only below {@link PreferencesProvider}. */
export function usePreferences(): Preferences {
  const value = useContext(Context);
  if (value === undefined) throw new Error('usePreferences outside of PreferencesProvider');
  return value;
}
