import { createHash } from 'node:crypto';

import { StorageError, type SchemaScript } from '@deespec/domain';

import { normalizedHash } from './normalize.js';

/** One file of a migrations directory. */
export interface ScriptFile {
  /** `NNN_name.up.sql` or `NNN_name.down.sql`. */
  readonly name: string;
  readonly text: string;
}

const scriptName = /^(\d{3})_([a-z0-9_]+)\.(up|down)\.sql$/u;

/**
 * Reads every script and checks the whole set before anything runs: names, an `up` and a `down` for each version, versions
 * counted from 1 without gaps.
 *
 * @returns scripts, lowest version first
 * @throws StorageError `MIGRATION.MALFORMED` naming the file or version
 */
export function loadScripts(files: readonly ScriptFile[]): SchemaScript[] {
  const found = new Map<number, { name: string; up?: string; down?: string }>();
  for (const file of files) {
    const parts = scriptName.exec(file.name);
    if (parts === null) throw malformed(`${file.name} is not named NNN_name.up.sql or NNN_name.down.sql`);
    const [, digits, name, direction] = parts as unknown as [string, string, string, 'up' | 'down'];
    const version = Number(digits);
    const script = found.get(version) ?? { name };
    if (script.name !== name) throw malformed(`version ${version} has two names: ${script.name} and ${name}`);
    script[direction] = file.text;
    found.set(version, script);
  }
  const versions = [...found.keys()].sort((a, b) => a - b);
  return versions.map((version, i) => {
    const { name, up, down } = found.get(version)!;
    if (version !== i + 1) throw malformed(`version ${i + 1} is missing; the next one is ${version}`);
    if (up === undefined || down === undefined)
      throw malformed(`version ${version} needs an up and a down script`);
    const checksum = createHash('sha256').update(up, 'utf8').digest('hex');
    return { version, name, up, down, checksum, normalized: normalizedHash(up) };
  });
}

function malformed(message: string): StorageError {
  return new StorageError('MIGRATION.MALFORMED', message, {
    hint: 'the installation is damaged: install this version of the program again',
  });
}
