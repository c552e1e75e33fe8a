import { fileURLToPath } from 'node:url';

/** The product's launcher, in this repository. */
export const launcher = fileURLToPath(new URL('../../../apps/cli/bin/deespec.js', import.meta.url));

/** The same program as separate modules, which a seeded bug can change. */
export const modules = fileURLToPath(new URL('../../../apps/cli/dist/start.js', import.meta.url));

/** The environment of a child: what it needs to run, nothing that changes what it does, and `extra`. */
export function childEnvironment(extra: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { ...kept, TZ: 'UTC', LC_ALL: 'C', ...extra };
}
