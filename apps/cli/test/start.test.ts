import { afterAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

const root = fileURLToPath(new URL('../', import.meta.url));

describe('A program that cannot load the rest of itself', () => {
  // 19 descriptors are enough for Node itself and for the first module.
  const starved = (args: string) =>
    spawnSync('sh', ['-c', `ulimit -n 19; exec "${process.execPath}" "${root}bin/deespec.js" ${args}`], {
      encoding: 'utf8',
    });

  test('for want of file descriptors answers with one document', () => {
    const { status, stdout, stderr } = starved('status --json');

    expect({ status, stderr }).toEqual({ status: 74, stderr: '' });
    const document = JSON.parse(stdout) as { error: { code: string; hint: string } };
    expect(document).toMatchObject({ schema: 'deespec.cli/1', ok: false, exitCode: 74, data: null });
    expect(document.error.code).toBe('FILE.READ_FAILED');
    expect(document.error.hint).toContain('ulimit -n');
  });

  test('tells people without a stack trace', () => {
    const { status, stdout, stderr } = starved('status');

    expect({ status, stdout }).toEqual({ status: 74, stdout: '' });
    // Where the descriptors are enough for the program, they are not for the command, which is loaded behind it.
    expect(stderr).toMatch(
      /^error: (?:the program cannot be loaded: )?EMFILE: .* \(FILE\.READ_FAILED\)\nhint: allow the process more open files .*\n$/u,
    );
  });

  test('for a missing file names it', () => {
    const copy = join(temporaryDirectory(), 'cli');
    mkdirSync(copy);
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    const program = join(copy, 'dist/program');
    const [session] = readdirSync(program).filter((name) => name.startsWith('session-'));
    rmSync(join(program, session!));

    const { status, stderr } = spawnSync(process.execPath, [join(copy, 'bin/deespec.js'), 'version'], {
      encoding: 'utf8',
    });

    expect(status).toBe(74);
    expect(stderr).toContain('(FILE.READ_FAILED)');
    expect(stderr).toContain('install the program again');
  });
});

test('A process with few file descriptors works', () => {
  const run = `ulimit -n 48; exec "${process.execPath}" "${root}bin/deespec.js" version --json`;

  expect(JSON.parse(execFileSync('sh', ['-c', run], { encoding: 'utf8' }))).toMatchObject({ ok: true });
});
