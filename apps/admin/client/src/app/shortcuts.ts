import { useHotkeys } from '@mantine/hooks';

interface Actions {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
  readonly search: () => void;
}

/** Keys that work on every page; while somebody types into a field only Mod+K does. */
export function useShortcuts({ openPalette, openHelp, search }: Actions): void {
  useHotkeys([
    ['/', search],
    ['shift+?', openHelp],
    ['?', openHelp],
  ]);
  useHotkeys([['mod+K', openPalette]], []);
}
