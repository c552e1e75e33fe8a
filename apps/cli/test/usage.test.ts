import { describe, expect, test } from '@jest/globals';
import { deespec, documentOf, runInProcess } from './support.js';

describe('a wrong command line', () => {
  test.each([
    [['migrat'], 'did you mean migrate?'],
    [['sbi', 'lst'], 'did you mean list?'],
    [['help', 'sbi', 'shw'], 'did you mean show?'],
    [['migrate', '--dryrun'], 'did you mean --dry-run?'],
    [['verify', '--checkall'], 'did you mean --check-all?'],
  ])('%j is answered with a suggestion', async (args, suggestion) => {
    const { exitCode, stdout, stderr } = await deespec(args);

    expect(exitCode).toBe(64);
    expect(stderr).toContain(suggestion);
    expect(stdout).toHaveLength(0);
  });

  test.each([
    ['migrate', '--batch-size', '0'],
    ['migrate', '--batch-size', '100001'],
    ['migrate', '--batch-size', '1e3'],
    ['migrate', '--batch-size', 'NaN'],
    ['sbi', 'list', '--limit', '1;drop'],
    ['sbi', 'list', '--limit', '1001'],
    ['sbi', 'list', '--search', '"*"'],
    ['sbi', 'list', '--search', 'x'.repeat(1_001)],
    ['sbi', 'list', '--status', 'PAUSED'],
    ['sbi', 'list', '--store', 'memory'],
    ['export', '--format=tar', '--output', 'x'],
    ['export', '--output', ''],
    ['execution', 'show', 'SBI-01M810CC01J2AAPQZVYRK1YMJR', '--run', '1'],
    ['digest', 'one', 'two'],
    ['mode', 'sqlite'],
    ['mode', 'set', 'cloud'],
    ['sync', '--watch', '--dry-run'],
    ['conflict', 'resolve', 'x', '--take', 'both'],
    ['sbi', 'create', '--title', 'x', '--label', 'a,,b'],
    ['sbi', 'create', '--title', 'x', '--priority', '-1'],
    ['sbi', 'set-status', 'SBI-01M810CC01J2AAPQZVYRK1YMJR', 'PAUSED'],
    ['execution', 'add', 'SBI-01M810CC01J2AAPQZVYRK1YMJR', '--run', '1'],
    ['audit', '--since', 'yesterday'],
    ['audit', '--format', 'xml'],
    ['audit', '--limit', '1001'],
    ['audit', '--json', '--format', 'csv'],
  ])('%s %s %s is a usage error', async (...args) => {
    const { exitCode, stdout, stderr } = await runInProcess(args);

    expect(exitCode).toBe(64);
    expect(args.includes('--json') ? stdout.toString() : stderr).toContain('USAGE.INVALID');
  });

  test.each([
    ['mode', 'sett'],
    ['audit', 'verfy'],
  ])('%s, which does something alone, does not take %s for an argument', async (...args) => {
    const { exitCode, stderr } = await runInProcess(args);

    expect(exitCode).toBe(64);
    expect(stderr).toContain(`unknown command "${args[1]}"`);
    expect(stderr).toContain(`see "deespec ${args[0]} --help"`);
  });

  test('help goes to standard error when the command is missing', async () => {
    const { exitCode, stdout, stderr } = await deespec([]);

    expect(exitCode).toBe(64);
    expect(stdout).toHaveLength(0);
    expect(stderr).toContain('Examples:');
  });

  test('help that was asked for goes to standard output', async () => {
    const { exitCode, stdout, stderr } = await deespec(['--help']);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toContain('migrate');
    expect(stdout.toString()).not.toMatch(/^ {2}(complete|serve)\b/mu);
    expect(stderr).toBe('');
  });

  test('an option after -- is an argument', async () => {
    const { exitCode, stderr } = await deespec(['sbi', 'show', '--', '--help']);

    expect(exitCode).toBe(65);
    expect(stderr).toContain('not an SBI id: "--help"');
  });
});

describe('a verb of the Go tool', () => {
  test.each([['init'], ['register'], ['run'], ['clear'], ['workflow'], ['journal'], ['sbi', 'register']])(
    '%s %s gets a hint',
    async (...words) => {
      const run = await runInProcess([...words.filter(Boolean), '--json']);
      const { error } = documentOf(run);

      expect(run.exitCode).toBe(64);
      expect(error).toMatchObject({ code: 'USAGE.INVALID' });
      expect(error?.hint).toContain('own deespec binary');
      expect(error?.hint).toContain('deespec-storage');
      expect(error?.hint).not.toContain('did you mean');
    },
  );
});

describe('--version', () => {
  test('is the version command', async () => {
    const [flag, command] = await Promise.all([deespec(['--version']), deespec(['version'])]);

    expect(flag).toEqual(command);
    expect(flag.stdout.toString()).toMatch(/^deespec +\d+\.\d+\.\d+\n/u);
  });
});

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    const { exitCode, stdout } = await deespec(['completion', shell, '--name', 'deespec-storage']);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(/deespec-storage complete '?--/u);
  });

  test('answers with the commands and options that fit', async () => {
    const [commands, options] = await Promise.all([
      deespec(['complete', '--', 'execution', '']),
      deespec(['complete', '--', 'sbi', 'list', '--st']),
    ]);

    expect(commands.stdout.toString()).toMatch(/^list\t.*\nshow\t.*\nadd\t.*\n:4\n$/u);
    expect(options.stdout.toString()).toMatch(/^--status\t.*\n--store\t.*\n:4\n$/u);
  });

  test.each([['mode'], ['audit'], ['quarantine'], ['conflict']])(
    'describes each command of %s in one line',
    async (group) => {
      const { stdout } = await runInProcess(['complete', '--', group, '']);

      expect(stdout.toString()).toMatch(/^(?:[a-z-]+\t.+\n)+:4\n$/u);
    },
  );
});
