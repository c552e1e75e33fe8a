import type { Checks } from '@deespec/domain';
import type * as LayoutModule from '@deespec/layout';

/** What bytes mean, with the checks that it asks for. */
export interface Layout {
  readonly layout: typeof LayoutModule;
  readonly checks: Checks;
}

let loading: Promise<Layout> | undefined;

/** Loads the layout when it is first needed: class-validator alone takes 100 ms, and many commands only look at files. */
export function loadLayout(): Promise<Layout> {
  loading ??= Promise.all([import('@deespec/layout'), import('@deespec/validators')]).then(
    ([layout, { checks }]) => ({ layout, checks }),
  );
  return loading;
}
