import { readFileSync } from 'node:fs';

/** What the manifest of this package says of the program. */
export interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** The manifest of this package. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Manifest;
}

/** Version of this program, as its package says. */
export function programVersion(): string {
  return readManifest().version;
}
