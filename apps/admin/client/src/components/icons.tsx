const paths = {
  menu: 'M3 6h14M3 10h14M3 14h14',
  search: 'M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM13.5 13.5 18 18',
  sun: 'M10 14a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM10 1v2M10 17v2M1 10h2M17 10h2M3.6 3.6 5 5M15 15l1.4 1.4M16.4 3.6 15 5M5 15l-1.4 1.4',
  moon: 'M16 12.5A7 7 0 0 1 7.5 4 6.5 6.5 0 1 0 16 12.5Z',
  system: 'M2 4h16v10H2zM7 18h6M10 14v4',
  pause: 'M7 4v12M13 4v12',
  play: 'M6 4v12l10-6z',
  help: 'M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M10 14.6v.1',
  copy: 'M7 7h9v10H7zM4 13V3h9',
  check: 'M4 10.5 8.5 15 16 5.5',
  cross: 'M5 5l10 10M15 5 5 15',
  warning: 'M10 3 2 17h16zM10 8v4.5M10 14.8v.1',
  clock: 'M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM10 5.5V10l3 2',
  dot: 'M10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  external: 'M8 4H4v12h12v-4M11 3h6v6M17 3l-8 8',
  lock: 'M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3',
} as const;

/** Names of the icons; each is one stroke of its own making, so that no font and no picture has to be loaded. */
export type IconName = keyof typeof paths;

/** An icon beside a text or in a button that has a name: never the only carrier of a meaning. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
