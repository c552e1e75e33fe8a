import type { SeededBug } from './seeded-bugs.js';

/** Bugs of backups, restores, and runs that go to the database and back. */
export const runBugs = {
  'backup-without-log': {
    about: 'a backup is a copy of the database file, without what stands in its write-ahead log',
    patches: [
      {
        file: 'storage/dist/backup/snapshot.js',
        replace: 'await source.backup(to, { progress });',
        by: "(await import('node:fs')).copyFileSync(from, to);",
      },
    ],
  },
  'backup-at-any-moment': {
    about:
      'in dual_write a backup is a snapshot while a change is half done, and what was changed just before counts as new',
    patches: [
      {
        file: 'storage/dist/backup/copy-following.js',
        replace: 'await this.#writers.alone(async () => {',
        by: 'await Promise.resolve(async () => {',
      },
      {
        file: 'storage/dist/backup/copy-following.js',
        replace: 'start();\n        });',
        by: 'start();\n        }).then((work) => work());',
      },
      {
        file: 'storage/dist/backup/copy-following.js',
        replace: 'while (store.fileDebts().length > 0) {',
        by: 'while (store === undefined) {',
      },
      {
        file: 'storage/dist/backup/copy-following.js',
        replace: 'this.atMs = Date.now() - CLOCK_TICK_MS;',
        by: 'this.atMs = Date.now() - 60_000;',
      },
    ],
  },
  'backup-not-synced': {
    about: 'a backup that was compressed gets its name, and the other form goes, before its bytes are synced',
    patches: [
      {
        file: 'storage/dist/backup/prune.js',
        replace: 'syncPath(place.data);',
        by: '',
      },
    ],
  },
  'restore-unproven': {
    about: 'a backup is put in place by what its manifest says, without being read',
    patches: [
      {
        file: 'storage/dist/backup/source.js',
        replace: 'if (content.sha256 !== manifest.sha256)',
        by: 'if (content === undefined)',
      },
      {
        file: 'storage/dist/backup/source.js',
        replace: '() => checkCopy(to, { bytes, signal })',
        by: 'async () => manifest ?? (await checkCopy(to, { bytes, signal }))',
      },
    ],
  },
  'restore-unrecorded': {
    about: 'a restore that has begun is not noted down',
    patches: [
      {
        file: 'storage/dist/backup/restore-journal.js',
        replace: "writeFileDurably({ kind: 'file', target: paths.restore, bytes, mode: 0o600 });",
        by: '',
      },
      {
        file: 'storage/dist/backup/restore-journal.js',
        replace: 'unlinkSync(paths.restore);',
        by: 'if (restoringFrom(paths) !== undefined) unlinkSync(paths.restore);',
      },
    ],
  },
  'prune-takes-newest': {
    about: 'the newest verified backup is removed when it is old',
    patches: [
      {
        file: 'storage/dist/backup/prune.js',
        replace: ': entry.path === proven?.path',
        by: ': proven === null',
      },
    ],
  },
  'cutover-unproven': {
    about: 'a cut-over makes the database the truth whatever the comparison found',
    patches: [
      {
        file: 'storage/dist/run/cutover.js',
        replace: 'if (ok)',
        by: 'if (true)',
      },
      {
        file: 'storage/dist/mode.js',
        replace: 'const verified = await requireVerified(paths, options);',
        by: 'const verified = await requireVerified(paths, options).catch(() => undefined);',
      },
    ],
  },
  'stopped-ignored': {
    about: 'changes are let in while the tree is stopped',
    patches: [
      {
        file: 'storage/dist/service/stopped.js',
        replace: 'const stopped = readStopped(paths);',
        by: 'const stopped = undefined;',
      },
    ],
  },
} as const satisfies Record<string, SeededBug>;
