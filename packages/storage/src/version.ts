import { openHandle, schemaScripts, sqliteVersion } from '@deespec/sqlite-adapter';
import { readFileSync } from 'node:fs';

/** Versions of the program and of what it runs on. */
export interface VersionReport {
  readonly version: string;
  /** Newest schema version this program knows. */
  readonly schema: number;
  readonly sqlite: string;
  readonly node: string;
}

/** Version of this program, as its package says. */
export function programVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

/** Versions for people and for bug reports. */
export async function version(): Promise<VersionReport> {
  const handle = openHandle(':memory:', 'build');
  const sqlite = sqliteVersion(handle);
  handle.close();
  return { version: programVersion(), schema: schemaScripts().length, sqlite, node: process.version };
}
