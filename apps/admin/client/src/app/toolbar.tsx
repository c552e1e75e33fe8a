import { Button, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { Icon, type IconName } from '../components/icons.js';
import { usePreferences } from './preferences.js';

const schemes = {
  light: { next: 'dark', icon: 'sun', label: 'Light' },
  dark: { next: 'auto', icon: 'moon', label: 'Dark' },
  auto: { next: 'light', icon: 'system', label: 'System' },
} as const satisfies Record<MantineColorScheme, { next: MantineColorScheme; icon: IconName; label: string }>;

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  /** Full sentence: what it is now, and what a click does. */
  readonly title: string;
  readonly onClick: () => void;
}

function Tool({ icon, label, title, onClick }: ToolProps) {
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-sm"
      onClick={onClick}
      aria-label={title}
      title={title}
    >
      <Icon name={icon} />
      <span className="tool-label">{label}</span>
    </Button>
  );
}

/** State of the stream of changes: what the pause button shows. */
export type StreamState = 'open' | 'lost' | 'paused';

const streamWords = {
  open: { icon: 'pause', label: 'Live', title: 'Live: the page follows changes. Pause it' },
  lost: { icon: 'warning', label: 'Not live', title: 'Not live: the server does not answer. Pause' },
  paused: { icon: 'play', label: 'Paused', title: 'Paused: the page stays as it is. Go on' },
} as const;

interface ToolbarProps {
  readonly stream: StreamState;
  readonly openPalette: () => void;
  readonly openHelp: () => void;
}

/** What is the same on every page: go to, live or paused, zone of times, theme, keys. */
export function Toolbar({ stream, openPalette, openHelp }: ToolbarProps) {
  const { zone, setZone, live, setLive } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const scheme = schemes[colorScheme];
  const words = streamWords[live ? stream : 'paused'];
  return (
    <div className="toolbar" role="group" aria-label="Tools">
      <Tool icon="search" label="Go to" title="Go to a page or an SBI (Ctrl+K)" onClick={openPalette} />
      <Tool {...words} onClick={() => setLive(!live)} />
      <Tool
        icon="clock"
        label={zone === 'utc' ? 'UTC' : 'Local'}
        title={zone === 'utc' ? 'Times are UTC. Show local time' : 'Times are local. Show UTC'}
        onClick={() => setZone(zone === 'utc' ? 'local' : 'utc')}
      />
      <Tool
        icon={scheme.icon}
        label={scheme.label}
        title={`Theme: ${scheme.label}. Change it to ${schemes[scheme.next].label}`}
        onClick={() => setColorScheme(scheme.next)}
      />
      <Tool icon="help" label="Keys" title="Keys: every shortcut (?)" onClick={openHelp} />
    </div>
  );
}
