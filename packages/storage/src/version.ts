import { openHandle, schemaScripts, sqliteVersion } from '@deespec/sqlite-adapter';

import { programVersion } from './manifest.js';

/** Versions of the program and of what it runs on. */
export interface VersionReport {
  readonly version: string;
  /** Newest schema version this program knows. */
  readonly schema: number;
  readonly sqlite: string;
  readonly node: string;
}

/** Versions for people and for bug reports. */
export async function version(): Promise<VersionReport> {
  const handle = openHandle(':memory:', 'build');
  const sqlite = sqliteVersion(handle);
  handle.close();
  return { version: programVersion(), schema: schemaScripts().length, sqlite, node: process.version };
}
