import type { SchemaScript } from '@deespec/domain';
import { loadScripts } from '@deespec/migration-engine';
import { readdirSync, readFileSync } from 'node:fs';

const directory = new URL('../migrations/', import.meta.url);
let loaded: SchemaScript[] | undefined;

/** The schema scripts of this program, read once. @throws StorageError `MIGRATION.MALFORMED` */
export function schemaScripts(): readonly SchemaScript[] {
  loaded ??= loadScripts(
    readdirSync(directory).map((name) => ({ name, text: readFileSync(new URL(name, directory), 'utf8') })),
  );
  return loaded;
}
