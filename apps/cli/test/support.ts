import {
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { PassThrough } from 'node:stream';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StorageMode } from '@deespec/domain';
import { generateTree } from '@deespec/trees';
import { execa } from 'execa';
import { runProgram } from '../src/program.js';
import { Session } from '../src/session.js';
import { Terminal } from '../src/terminal.js';

const launcher = fileURLToPath(new URL('../bin/deespec.js', import.meta.url));

/** How a run of the program ended. */
export interface Run {
  /** -1 when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input; absent: none. */
  readonly input?: Buffer;
  /** Runs it as this user and group; absent: as the tests. */
  readonly account?: number;
}

/** Starts the launcher as a child process: no terminal, UTC. */
export function startDeespec(args: readonly string[], options: RunOptions = {}) {
  const { cwd = tmpdir(), environment = {}, input, account } = options;
  return execa(process.execPath, [launcher, ...args], {
    cwd,
    env: { DEE_HOME: '', TZ: 'UTC', ...environment },
    encoding: 'buffer',
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    ...(account === undefined ? {} : { uid: account, gid: account }),
    reject: false,
    stripFinalNewline: false,
    // A busy machine takes longer than execa's five seconds for a clean stop.
    forceKillAfterDelay: false,
  });
}

/** Runs the launcher to its end. */
export async function deespec(args: readonly string[], options?: RunOptions): Promise<Run> {
  const { exitCode = -1, stdout, stderr } = await startDeespec(args, options);
  return { exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr).toString() };
}

/**
 * Runs the program in this process, where a child process would add nothing but time or cannot have a terminal.
 *
 * @param isTTY - what standard output claims to be
 */
export async function runInProcess(argv: readonly string[], isTTY = false): Promise<Run> {
  // Nobody reads before the end, and a command waits for its reader.
  const stdout = Object.assign(new PassThrough({ highWaterMark: 2 ** 30 }), { isTTY });
  const stderr = new PassThrough();
  const settings = { environment: {}, debug: false, user: 'tester' };
  const session = new Session({ terminal: new Terminal(stdout, stderr), settings, argv });
  await runProgram(session, argv);
  const output = (stdout.read() as Buffer | null) ?? Buffer.alloc(0);
  return { exitCode: session.exitCode, stdout: output, stderr: String(stderr.read() ?? '') };
}

/** The document a run with `--json` printed; fails when standard output is anything but one document and a line feed. */
export function documentOf(run: Run): Document {
  const text = run.stdout.toString();
  if (!text.endsWith('}\n')) throw new Error(`no JSON document: ${text}\n${run.stderr}`);
  return JSON.parse(text) as Document;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- a document is read as a script reads it: by names, without types */
export interface Document {
  readonly schema: string;
  readonly command: string;
  readonly ok: boolean;
  readonly exitCode: number;
  readonly data: any;
  readonly warnings: string[];
  readonly error: {
    code: string;
    message: string;
    hint: string | null;
    details: any;
    retryable: boolean;
  } | null;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** A directory that {@link removeDirectories} removes. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-cli-'));
  directories.push(directory);
  return directory;
}

/** Removes every temporary directory of this file's tests. */
export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

const directories: string[] = [];

const templates = new Map<StorageMode, Promise<string>>();

/** A small generated tree that was migrated and brought into `mode`; a fresh copy for each call. */
export async function homeIn(mode: StorageMode): Promise<string> {
  const template = templates.get(mode) ?? makeTemplate(mode);
  templates.set(mode, template);
  const home = join(temporaryDirectory(), '.deespec');
  cpSync(await template, home, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return home;
}

async function makeTemplate(mode: StorageMode): Promise<string> {
  const home = join(temporaryDirectory(), '.deespec');
  generateTree(home, { layout: 'A', sbis: 3, seed: 7 });
  for (const words of [['migrate'], ['mode', 'set', mode]]) {
    const { exitCode, stderr } = await deespec([...words, '--home', home]);
    if (exitCode !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  }
  return home;
}

/** A tree in mode sqlite with one conflict: somebody edited a file by hand while the database moved too. */
export async function homeWithConflict() {
  const home = await homeIn('sqlite');
  const sbi = sbiIds(home)[0]!;
  const path = `specs/sbi/${sbi}/state.json`;
  const file = join(home, path);
  const before = readFileSync(file, 'utf8');
  const byHand = before.replace(/\n\}\s*$/u, ',\n  "note": "by hand"\n}\n');
  writeFileSync(file, byHand);
  const change = await deespec(['sbi', 'label', sbi, 'moved', '--home', home]);
  if (change.exitCode !== 0) throw new Error(change.stderr);
  const list = await deespec(['conflict', 'list', '--json', '--home', home]);
  const id = String(documentOf(list).data.items[0]?.id);
  return { home, sbi, path, file, byHand, byApi: readFileSync(file, 'utf8'), id };
}

/** The ids of a tree's SBIs, by name. */
export function sbiIds(home: string): string[] {
  return readdirSync(join(home, 'specs/sbi')).sort();
}

/**
 * An account that permissions bind, which they do not for root, and that owns everything below the parent of `home`.
 *
 * @returns what {@link RunOptions} takes
 */
export function ordinaryAccount(home: string): Pick<RunOptions, 'account'> {
  if (process.getuid?.() !== 0) return {};
  const root = dirname(home);
  const below = readdirSync(root, { recursive: true, encoding: 'utf8' });
  for (const path of [root, ...below.map((name) => join(root, name))]) chownSync(path, nobody, nobody);
  return { account: nobody };
}

const nobody = 65534;

/** Writes files below `directory`, by relative path. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

export const hostileId = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';

/** Bytes of an artifact that would clear a terminal and are no UTF-8. */
export const hostileContent = Buffer.from('\x1b[2Jgone\n\xff\nDECISION: SUCCEEDED\n', 'latin1');

/** A small valid tree whose title, setting and artifact try to drive the reader's terminal. */
export function writeHostileTree(home: string): void {
  writeFiles(home, {
    'setting.json': '{"note": "\\u001b]0;owned\\u0007\\u009b31m\\u202e"}\n',
    [`specs/sbi/${hostileId}/meta.yml`]: `id: ${hostileId}\ntitle: "\\e[2Jcleared \\u009b31m \\u202e"\nlabels: [backend]\n`,
    [`specs/sbi/${hostileId}/spec.md`]: '# spec\n',
    [`specs/sbi/${hostileId}/implement_2.md`]: hostileContent,
  });
}

/** Characters that must never reach a terminal from a tree. */
// eslint-disable-next-line no-control-regex
export const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
