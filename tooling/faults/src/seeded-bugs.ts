import { pathToFileURL } from 'node:url';

import { runBugs } from './run-bugs.js';

/**
 * A change of one file of the built product. Every replacement must match exactly once, so that a bug that no longer can be
 * put in is an error and not a test that proves nothing.
 */
export interface Patch {
  /** End of the file's path, such as `storage/dist/publish.js`. */
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** A bug that this project must never have again unnoticed. */
export interface SeededBug {
  readonly about: string;
  readonly patches: readonly Patch[];
}

const bugs = {
  'no-fsync': {
    about: 'files are not synced before they get their name',
    patches: [
      {
        file: 'file-adapter/dist/durable-write.js',
        replace: 'system.fsyncSync(handle);',
        by: '',
      },
      {
        file: 'storage/dist/publish.js',
        replace: 'chmodSync(file, 0o600);\n    syncPath(file);',
        by: 'chmodSync(file, 0o600);',
      },
    ],
  },
  'no-directory-fsync': {
    about: 'directories are not synced after names in them changed',
    patches: [
      {
        file: 'file-adapter/dist/file-system.js',
        replace: 'const handle = system.openSync(directory, DIRECTORY_FLAGS);',
        by: 'if (directory) return; const handle = system.openSync(directory, DIRECTORY_FLAGS);',
      },
      {
        file: 'storage/dist/sync-path.js',
        replace: "const descriptor = openSync(path, 'r');",
        by: "if (!path.endsWith('.db')) return; const descriptor = openSync(path, 'r');",
      },
    ],
  },
  'publish-before-verify': {
    about: 'the database gets its name before it was verified',
    patches: [
      {
        file: 'storage/dist/build.js',
        replace: 'const verified = await verifyBuilt(run);',
        by: "if (run.options.dryRun !== true && run.published === undefined) { const { linkSync, lstatSync } = await import('node:fs'); if (lstatSync(run.paths.database, { throwIfNoEntry: false }) === undefined) linkSync(run.directory.database, run.paths.database); } const verified = await verifyBuilt(run);",
      },
      {
        file: 'storage/dist/publish.js',
        replace: "if (error.code !== 'EEXIST') {",
        by: "if (error.code === 'EEXIST') { unlinkSync(file); return; } if (error.code !== 'EEXIST') {",
      },
    ],
  },
  'verify-skipped': {
    about: 'the verifier does not look at what was built',
    patches: [
      {
        file: 'storage/dist/build.js',
        replace: 'if (isOfMoment(run, verified, load)) {',
        by: 'if (true) {',
      },
    ],
  },
  'publish-by-rename': {
    about: 'publication replaces whatever stands at the name',
    patches: [
      {
        file: 'storage/dist/publish.js',
        replace: 'linkSync(file, paths.database);',
        by: 'renameSync(file, paths.database); syncPath(paths.home); return;',
      },
    ],
  },
  'leftover-not-removed': {
    about: 'what a killed run left behind stays',
    patches: [
      {
        file: 'storage/dist/runs.js',
        replace: 'for (const run of unfinishedRuns(paths))',
        by: 'for (const run of [])',
      },
    ],
  },
  'barrier-not-taken': {
    about: 'two commands work on one tree at the same time',
    patches: [
      {
        file: 'storage/dist/barrier.js',
        replace: "handle.exec(access === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN DEFERRED');",
        by: '',
      },
    ],
  },
  'digest-from-importer': {
    about: 'the verifier takes the hashes that the importer recorded instead of reading what is stored',
    patches: [
      {
        file: 'verifier/dist/stored-content.js',
        replace: "sha256: hash('sha256', bytes), size: bytes.length, target:",
        by: 'sha256: row.sha256, size: bytes.length, target:',
      },
    ],
  },
  'column-text-unchecked': {
    about: 'text that SQLite cannot give back unchanged gets into columns',
    patches: [
      {
        file: 'layout/dist/fields.js',
        replace: "return !text.includes('\\0') && !/\\p{Surrogate}/u.test(text);",
        by: 'return true;',
      },
    ],
  },
  'debt-after-change': {
    about: 'an edit of the files is noted down after it was made, not before',
    patches: [
      {
        file: 'file-adapter/dist/edit-runner.js',
        replace: 'this.#record(intent);\n        this.#forward(intent, chunks);',
        by: 'this.#forward(intent, chunks);\n        this.#record(intent);',
      },
    ],
  },
  'debt-cleared-early': {
    about: 'what the files are owed is cleared before they have it',
    patches: [
      {
        file: 'dual-adapter/dist/carrier.js',
        replace: 'for (const edits of putEdits(this.stores.ledger, entry, look.facts.file))',
        by: 'if (look.clears !== undefined) this.stores.ledger.outbox.clear(path, look.clears);\n        for (const edits of putEdits(this.stores.ledger, entry, look.facts.file))',
      },
    ],
  },
  'acknowledged-early': {
    about: 'a change of the files is reported as made before it is',
    patches: [
      {
        file: 'file-adapter/dist/file-tree-store.js',
        replace: 'this.#runner.run(intent, chunksOf(edits));',
        by: 'setTimeout(() => this.#runner.run(intent, chunksOf(edits)), 2_000);',
      },
    ],
  },
  'commit-not-synced': {
    about: 'a commit to the database is reported as made before it is durable',
    patches: [
      {
        file: 'sqlite-adapter/dist/handle.js',
        replace: "write: ['synchronous = EXTRA',",
        by: "write: ['synchronous = OFF',",
      },
    ],
  },
  'transaction-split': {
    about:
      'the plan is awaited between two transactions: the edits are in the one, debt and audit record in the other',
    patches: [
      {
        file: 'sqlite-adapter/dist/sqlite-tree-store.js',
        replace: 'const isOwed = this.parts.owes && paths.length > 0;',
        by: 'return { paths, audit, rev: changes.rev };\n        }).then(({ paths, audit, rev }) => this.parts.queue.run(() => {\n            const changes = { rev };\n            const isOwed = this.parts.owes && paths.length > 0;',
      },
      {
        file: 'sqlite-adapter/dist/sqlite-tree-store.js',
        replace: 'return { paths, audit: this.audit.append(audit) };\n        });',
        by: 'return { paths, audit: this.audit.append(audit) };\n        }));',
      },
    ],
  },
  'append-repeated': {
    about: 'lines that stand in the journal are appended again after a crash',
    patches: [
      {
        file: 'file-adapter/dist/progress.js',
        replace: "return holdsLine(tree, step) ? 'done' : 'open';",
        by: "return 'open';",
      },
    ],
  },
  'intent-not-synced': {
    about: 'what is noted down of an edit is not durable when the edit begins',
    patches: [
      {
        file: 'file-adapter/dist/edit-runner.js',
        replace: 'area.write(place, file);',
        by: "area.write(place, file, 'unsynced');",
      },
    ],
  },
  'replaced-not-kept': {
    about: 'the file that is replaced gets no second name, so that a write that comes in between is lost',
    patches: [
      {
        file: 'file-adapter/dist/step-maker.js',
        replace: 'const inode = replaced.keep(key, step);',
        by: 'const inode = undefined;',
      },
    ],
  },
  'mode-change-unrecorded': {
    about: 'a change of mode is not noted down before it begins',
    patches: [
      {
        file: 'storage/dist/mode-change.js',
        replace: 'export function readModeChange(paths) {',
        by: 'let begun;\nexport function readModeChange(paths) {\n    if (begun !== undefined) return begun;',
      },
      {
        file: 'storage/dist/mode-change.js',
        replace: 'export function beginModeChange(paths, change) {',
        by: 'export function beginModeChange(paths, change) {\n    begun = change; return;',
      },
      {
        file: 'storage/dist/mode-change.js',
        replace: 'unlinkSync(paths.modeChange);',
        by: 'begun = undefined;',
      },
    ],
  },
  'deferred-begin': {
    about:
      'a write begins as a read and takes the lock of a writer when it first writes: it fails when somebody else wrote since',
    patches: [
      {
        file: 'sqlite-adapter/dist/write-queue.js',
        replace:
          'return await waitForLock(() => this.handle.transaction(work).immediate(), this.path, this.turn);',
        by: 'return this.handle.transaction(work).deferred();',
      },
    ],
  },
  'clear-without-comparing': {
    about:
      'what is owed is cleared, and the files taken for newer, whatever was written since they were looked at',
    patches: [
      {
        file: 'sqlite-adapter/dist/settling.js',
        replace: '!isAsExpected(parts.entries, settlement) || ',
        by: '',
      },
      {
        file: 'sqlite-adapter/dist/outbox-rows.js',
        replace: "'DELETE FROM outbox WHERE path = ? AND rev = ?'",
        by: "'DELETE FROM outbox WHERE path = ? AND ? IS NOT NULL'",
      },
    ],
  },
  'epoch-unchecked': {
    about: 'a process that slept through a change of mode goes on as before',
    patches: [
      {
        file: 'storage/dist/live/session.js',
        replace: 'return isOf(stores, epoch) ? stores : { ...stores, isStale: true };',
        by: 'return stores;',
      },
    ],
  },
  'schema-record-apart': {
    about: 'a change of the schema and its record are not one transaction',
    patches: [
      {
        file: 'sqlite-adapter/dist/migration-store.js',
        replace: 'return this.handle.transaction(work).immediate();',
        by: 'return work();',
      },
    ],
  },
  'repair-split': {
    about: 'rows that are repaired are taken away in one transaction and derived in another',
    patches: [
      {
        file: 'sqlite-adapter/dist/rebuild-rows.js',
        replace: 'derivation.follow(changes, ground);',
        by: "handle.exec('COMMIT; BEGIN IMMEDIATE'); derivation.follow(changes, ground);",
      },
    ],
  },
  'words-not-followed': {
    about: 'the words to search for stay those of the text that an item had first',
    patches: [
      {
        file: 'sqlite-adapter/dist/search-rows.js',
        replace: 'if (isInPlace && stored.basis === basis && stored.labelBasis === labelBasis)',
        by: 'if (stored !== undefined)',
      },
    ],
  },
  ...runBugs,
  'space-preflight-skipped': {
    about:
      'no bug but a way to fill the disk in the middle of a run: the check for free space at its start is left out',
    patches: [
      {
        file: 'storage/dist/preflight.js',
        replace: 'if (free >= needed)',
        by: 'if (true)',
      },
    ],
  },
} as const satisfies Record<string, SeededBug>;

/** Name of a seeded bug. */
export type BugName = keyof typeof bugs;

/** Every seeded bug, by name. */
export const seededBugs: Readonly<Record<BugName, SeededBug>> = bugs;

/** The environment variable that names the bugs, separated by commas. Only the hook of this package reads it. */
export const BUGS_VARIABLE = 'DEESPEC_SEEDED_BUGS';

/** What a child's environment needs so that the bugs are in it; nothing when there are none. */
export function bugEnvironment(names: readonly BugName[]): Record<string, string> {
  if (names.length === 0) return {};
  const hook = pathToFileURL(new URL('./seed-hook.js', import.meta.url).pathname).href;
  return { [BUGS_VARIABLE]: names.join(','), NODE_OPTIONS: `--import ${hook}` };
}

/**
 * The text of a file of the product with the bugs in it.
 *
 * @param url - where the module comes from
 * @throws Error when a replacement does not match exactly once
 */
export function seedBugs(url: string, text: string, names: readonly BugName[]): string {
  const patches = names.flatMap((name) => bugs[name].patches.filter(({ file }) => url.endsWith(`/${file}`)));
  return patches.reduce((result, { file, replace, by }) => {
    const parts = result.split(replace);
    if (parts.length === 2) return parts.join(by);
    throw new Error(`seeded bug: ${JSON.stringify(replace)} stands ${parts.length - 1} times in ${file}`);
  }, text);
}
