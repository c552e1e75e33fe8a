import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createProgram } from '../src/program.js';
import { Session } from '../src/session.js';
import { Terminal } from '../src/terminal.js';
import {
  deespec,
  documentOf,
  runInProcess,
  hostileId,
  homeWithConflict,
  removeDirectories,
  temporaryDirectory,
  writeFiles,
  writeHostileTree,
} from './support.js';
import type { Run } from './support.js';

const root = temporaryDirectory();
const home = join(root, '.deespec');
/** A tree with one entry in quarantine. */
const kept = join(temporaryDirectory(), '.deespec');
const nowhere = ['--home', join(root, 'nowhere')];

/** A tree of its own for each mode of changing, so that the other examples find what they need. */
const changed = ['--home', join(temporaryDirectory(), '.deespec')];
/** Copies of a tree in mode sqlite with an open conflict. */
let both: readonly string[] = [];
let conflictId = '';

interface Example {
  readonly success: readonly string[] | (() => readonly string[]);
  readonly failure: readonly string[];
  readonly exitCode: number;
}

const execution = [hostileId, '--run', '1', '--turn', '2'];
const addition = [hostileId, '--run', '1', '--status', 'REVIEW', '--decision', 'PENDING'];

/** The backup that an example made. */
function backupId(): string {
  const name = readdirSync(join(home, 'backups')).find((one) => one.endsWith('.db'));
  return String(name).slice(0, -3);
}
/** Go on until a signal: see service.test.ts and admin.test.ts. */
const endless = ['serve', 'admin'];

/** Groups that do something by themselves. */
const acting = ['mode', 'audit'];

/** One success and one failure of every command, in an order in which each finds what it needs. */
const examples: Readonly<Record<string, Example>> = {
  migrate: { success: [], failure: nowhere, exitCode: 66 },
  verify: { success: ['--check-all'], failure: nowhere, exitCode: 66 },
  check: { success: [], failure: ['--rule', 'none'], exitCode: 64 },
  repair: { success: ['--plan'], failure: [], exitCode: 64 },
  status: { success: [], failure: nowhere, exitCode: 66 },
  export: { success: ['--output', join(root, 'exported')], failure: [], exitCode: 64 },
  digest: { success: ['--manifest'], failure: [join(root, 'nowhere')], exitCode: 66 },
  'sbi list': { success: ['--store', 'sqlite'], failure: ['--after', 'x'], exitCode: 65 },
  'sbi show': { success: [hostileId], failure: ['SBI-00000000000000000000000000'], exitCode: 66 },
  'execution list': { success: ['--sbi', hostileId], failure: ['--sbi', 'x'], exitCode: 65 },
  'execution show': {
    success: [...execution, '--step', 'implement', '--content'],
    failure: [...execution, '--step', 'none'],
    exitCode: 66,
  },
  'config list': { success: [], failure: nowhere, exitCode: 66 },
  'config get': { success: ['setting.note'], failure: ['setting.none'], exitCode: 66 },
  'quarantine list': { success: [], failure: nowhere, exitCode: 66 },
  'quarantine show': { success: ['workflow.json', '--home', kept], failure: ['none'], exitCode: 66 },
  'quarantine retry': { success: [], failure: ['none'], exitCode: 66 },
  'mode get': { success: [], failure: nowhere, exitCode: 66 },
  'mode set': { success: ['FILE_ONLY'], failure: ['cloud'], exitCode: 64 },
  rehearse: { success: ['--writes', '5'], failure: ['--writes', '0'], exitCode: 64 },
  cutover: { success: ['--dry-run'], failure: [], exitCode: 64 },
  rollback: { success: ['--dry-run'], failure: nowhere, exitCode: 66 },
  gc: { success: ['--yes'], failure: nowhere, exitCode: 66 },
  start: { success: ['--no-watch'], failure: nowhere, exitCode: 66 },
  sync: { success: () => both, failure: [], exitCode: 78 },
  'conflict list': { success: () => both, failure: nowhere, exitCode: 66 },
  'conflict show': {
    success: () => [conflictId, '--content', ...both],
    failure: ['none'],
    exitCode: 66,
  },
  'conflict resolve': {
    success: () => [conflictId, '--take', 'db', ...both],
    failure: ['none', '--take', 'db'],
    exitCode: 66,
  },
  'schema status': { success: [], failure: nowhere, exitCode: 66 },
  'schema up': { success: ['--dry-run'], failure: ['--to', '0'], exitCode: 64 },
  'schema down': { success: ['--to', '2', '--dry-run'], failure: ['--to', '2'], exitCode: 64 },
  'schema verify': { success: [], failure: nowhere, exitCode: 66 },
  'schema prove': { success: [], failure: nowhere, exitCode: 66 },
  'sbi create': { success: ['--title', 'New', ...changed], failure: [], exitCode: 64 },
  'sbi set-status': { success: [hostileId, 'REVIEW', ...changed], failure: [hostileId, 'NO'], exitCode: 64 },
  'sbi label': { success: [hostileId, 'a,b', ...changed], failure: ['x', 'a'], exitCode: 65 },
  'execution add': {
    success: [...addition, '--turn', '7', '--step', 'review', ...changed],
    failure: [...addition, '--turn', '7'],
    exitCode: 64,
  },
  'config set': { success: ['setting.x', '1', ...changed], failure: ['setting.x', 'no json'], exitCode: 64 },
  audit: { success: changed, failure: ['--limit', '1001'], exitCode: 64 },
  'audit verify': { success: changed, failure: nowhere, exitCode: 66 },
  'backup create': { success: ['--note', 'here'], failure: ['--note', 'x'.repeat(1_001)], exitCode: 64 },
  'backup list': { success: [], failure: nowhere, exitCode: 66 },
  'backup verify': { success: () => [backupId()], failure: ['none'], exitCode: 66 },
  'backup prune': { success: ['--dry-run'], failure: ['--keep-days', 'x'], exitCode: 64 },
  restore: {
    success: () => [backupId(), '--as', join(root, 'restored')],
    failure: ['none', '--yes'],
    exitCode: 66,
  },
  stop: { success: ['--all', ...changed], failure: ['--timeout', 'x'], exitCode: 64 },
  health: { success: [], failure: nowhere, exitCode: 66 },
  doctor: { success: [], failure: ['extra'], exitCode: 64 },
  version: { success: [], failure: ['extra'], exitCode: 64 },
  help: { success: ['sbi', 'list'], failure: ['nothing'], exitCode: 64 },
  completion: { success: ['bash'], failure: ['tcsh'], exitCode: 64 },
  complete: { success: ['--', 'sbi', ''], failure: ['--none'], exitCode: 64 },
};

function allCommands(): { groups: string[]; leaves: string[] } {
  const terminal = new Terminal(new PassThrough(), new PassThrough());
  const session = new Session({
    terminal,
    settings: { environment: {}, debug: false, user: 'tester' },
    argv: [],
  });
  const groups: string[] = [];
  const leaves: string[] = [];
  const walk = (command: CommandUnknownOpts, words: string[]): void => {
    const name = words.join(' ');
    if (command.commands.length > 0) groups.push(name);
    if (endless.includes(name)) return;
    if (command.commands.length === 0 || name === 'audit') leaves.push(name);
    for (const child of command.commands) walk(child, [...words, child.name()]);
  };
  walk(createProgram(session), []);
  return { groups, leaves };
}

const { groups, leaves } = allCommands();

/** In this process: what only a process of its own can show has tests elsewhere. */
function run(command: string, args: readonly string[] = []): Promise<Run> {
  return runInProcess([...command.split(' ').filter(Boolean), '--json', '--home', home, ...args]);
}

function expectDocument(result: Run, expected: { command: string; exitCode: number }): void {
  const document = documentOf(result);

  expect(Object.keys(document)).toEqual(['schema', 'command', 'ok', 'exitCode', 'data', 'warnings', 'error']);
  expect(document).toMatchObject({ schema: 'deespec.cli/1', ...expected, ok: expected.exitCode === 0 });
  expect(result.exitCode).toBe(expected.exitCode);
  expect(document.error === null).toBe(expected.exitCode === 0);
}

beforeAll(async () => {
  writeHostileTree(home);
  writeHostileTree(changed[1]!);
  const conflict = await homeWithConflict();
  both = ['--home', conflict.home];
  conflictId = conflict.id;
  writeFiles(kept, { 'workflow.json': 'torn' });
  await runInProcess(['migrate', '--quarantine', '--home', kept]);
});
afterAll(removeDirectories);

describe('every command', () => {
  test('has an example of success and of failure here', () => {
    expect(Object.keys(examples).toSorted()).toEqual(leaves.toSorted());
  });

  test.each(Object.entries(examples))('%s prints one document on success', async (command, { success }) => {
    const result = await run(command, typeof success === 'function' ? success() : success);

    expectDocument(result, { command, exitCode: 0 });
    expect(documentOf(result).data).not.toBeNull();
  });

  test.each(Object.entries(examples))(
    '%s prints one document on failure',
    async (command, { failure, exitCode }) => {
      const result = await run(command, failure);

      expectDocument(result, { command, exitCode });
      expect(documentOf(result).error?.message).not.toBe('');
    },
  );

  test.each(groups)('group "%s" without a command prints one document', async (group) => {
    const result = await run(group);

    expectDocument(result, {
      command: group === '' ? 'deespec' : group,
      exitCode: acting.includes(group) ? 0 : 64,
    });
  });

  test.each([...new Set([...groups, ...leaves])])('"%s" --help shows its examples', async (command) => {
    const result = await runInProcess([...command.split(' ').filter(Boolean), '--json', '--help']);

    expectDocument(result, { command: command === '' ? 'deespec' : command, exitCode: 0 });
    const [, shown = ''] = documentOf(result).data.help.split('\nExamples:\n');
    expect(shown.match(/^ {2}\$ .+\n {6}\S/gmu)?.length).toBeGreaterThanOrEqual(2);
    expect(documentOf(result).data.help).toContain('--home <dir>');
  });

  test('takes --json and --home before the command too', async () => {
    const result = await deespec(['--json', '--home', home, 'sbi', 'list'], { cwd: '/' });

    expectDocument(result, { command: 'sbi list', exitCode: 0 });
    expect(documentOf(result).data.items).toHaveLength(1);
  });

  test('takes the tree that DEE_HOME names', async () => {
    const result = await deespec(['status', '--json'], { cwd: '/', environment: { DEE_HOME: home } });

    expect(documentOf(result).data.home).toBe(home);
  });
});
