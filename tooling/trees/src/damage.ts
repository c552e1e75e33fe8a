import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Damages that real trees have, each of which `migrate` must name. */
export const damages = [
  'bad-id',
  'torn-state',
  'duplicate-key',
  'unknown-status',
  'torn-journal',
  'garbage-journal-line',
  'zero-filled-spec',
] as const;
export type Damage = (typeof damages)[number];

const actions: Readonly<Record<Damage, (directory: string) => string>> = {
  'bad-id': addBadId,
  'torn-state': (directory) =>
    edit(directory, stateFile(directory), (bytes) => bytes.subarray(0, bytes.length / 2)),
  'duplicate-key': (directory) =>
    edit(directory, stateFile(directory), (bytes) => replaceOnce(bytes, '{', '{"status":"READY",')),
  'unknown-status': (directory) =>
    edit(directory, stateFile(directory), (bytes) =>
      replaceOnce(bytes, /"status"\s*:\s*"[^"]*"/u, '"status":"PAUSED"'),
    ),
  'torn-journal': (directory) => edit(directory, journal, (bytes) => bytes.subarray(0, -20)),
  'garbage-journal-line': (directory) => edit(directory, journal, insertGarbage),
  'zero-filled-spec': (directory) =>
    edit(directory, join(firstSbiWith(directory, 'spec.md'), 'spec.md'), (bytes) =>
      Buffer.alloc(bytes.length),
    ),
};

const journal = 'var/journal.ndjson';

/**
 * Damages a generated tree in place, always at the same place.
 *
 * @param directory - the `.deespec` directory
 * @returns path of the damaged or added file, relative to `directory`
 * @throws Error when the tree has no file of the kind: the state damages need layout A, the journal damages layout B
 */
export function damageTree(directory: string, damage: Damage): string {
  return actions[damage](directory);
}

function addBadId(directory: string): string {
  mkdirSync(join(directory, 'specs/sbi/SBI-INIT-001'));
  writeFileSync(join(directory, 'specs/sbi/SBI-INIT-001/spec.md'), '# From an old tool\n', { flag: 'wx' });
  return 'specs/sbi/SBI-INIT-001/spec.md';
}

function edit(directory: string, path: string, change: (bytes: Buffer) => Buffer): string {
  const absolute = join(directory, path);
  writeFileSync(absolute, change(readFileSync(absolute)));
  return path;
}

function replaceOnce(bytes: Buffer, pattern: string | RegExp, replacement: string): Buffer {
  const text = bytes.toString();
  const changed = text.replace(pattern, replacement);
  if (changed === text) throw new Error(`nothing to replace: ${String(pattern)}`);
  return Buffer.from(changed);
}

function insertGarbage(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\n') + 1;
  return Buffer.concat([bytes.subarray(0, end), Buffer.from('{"ts": half a line\n'), bytes.subarray(end)]);
}

function stateFile(directory: string): string {
  return join(firstSbiWith(directory, 'state.json'), 'state.json');
}

/** The first SBI directory, in byte order, whose file `name` is there and not empty. */
function firstSbiWith(directory: string, name: string): string {
  const names = readdirSync(join(directory, 'specs/sbi')).toSorted();
  const found = names.find((sbi) => {
    const stat = statSync(join(directory, 'specs/sbi', sbi, name), { throwIfNoEntry: false });
    return stat !== undefined && stat.size > 0;
  });
  if (found === undefined) throw new Error(`no SBI of this tree has a ${name}`);
  return join('specs/sbi', found);
}
