import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  checkCommands,
  checkLinks,
  checkReferences,
  checkTable,
  listTracked,
  tableRows,
} from '../src/index.js';
import { hasSqliteShell, isBuilt, repository, withWorkspace } from './support.js';

const DOMAIN = 'packages/domain/dist/index.js';
const LAYOUT = 'packages/layout/dist/index.js';
const VALIDATORS = 'packages/validators/dist/index.js';
const STORAGE = 'packages/storage/dist/index.js';
const EXIT_CODES = 'apps/cli/dist/exit-code.js';

const PROGRAM = 'apps/cli/dist/main.js';

const load = (path: string) => import(pathToFileURL(join(repository, path)).href);
const rowsOf = (path: string) => tableRows(readFileSync(join(repository, path), 'utf8'));
const markdown = () => listTracked(repository).filter((file) => file.endsWith('.md'));
const guides = () =>
  markdown().filter((file) => /^(?:README|CONTRIBUTING|SECURITY)\.md$|^docs\//u.test(file));

const helpTexts = new Map<string, string>();

/** What `--help` of a command prints; each command is started once. */
function help(words: readonly string[]): string {
  const key = words.join(' ');
  const launcher = join(repository, 'apps/cli/bin/deespec.js');
  const text =
    helpTexts.get(key) ??
    execFileSync(process.execPath, [launcher, ...words, '--help'], { encoding: 'utf8' });
  helpTexts.set(key, text);
  return text;
}

/** Names below `Commands:` in the help of a command. */
function subcommands(words: readonly string[]): string[] {
  const list = /^Commands:\n([\s\S]*?)(?:^$|(?![\s\S]))/mu.exec(help(words))?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gmu)].map((match) => match[1]!);
}

/** Long options in the help of a command that not every command has, sorted. */
function optionsOf(words: readonly string[]): string[] {
  const found = [...help(words).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gmu)].map((match) => match[1]!);
  return found.filter((option) => !['--home', '--json', '--help'].includes(option)).sort();
}

interface Rule {
  readonly rule: string;
  readonly severity: string;
}

describe('error codes', () => {
  test('have one row each, with their kind', async () => {
    if (!isBuilt(DOMAIN)) return;
    const { errorKinds } = await load(DOMAIN);
    const kinds = Object.entries(errorKinds as Record<string, string>);

    expect(
      checkTable(
        'docs/errors.md',
        rowsOf('docs/errors.md'),
        new Map(kinds.map(([code, kind]) => [code, [kind]])),
      ),
    ).toEqual([]);
  });

  test('have the exit code that the command gives them', async () => {
    if (!isBuilt(DOMAIN) || !isBuilt(EXIT_CODES)) return;
    const { StorageError } = await load(DOMAIN);
    const { exitCodeOf } = await load(EXIT_CODES);

    const wrong = rowsOf('docs/errors.md').filter(
      ([code, , exit]) => String(exitCodeOf(new StorageError(code, ''))) !== exit,
    );

    expect(wrong).toEqual([]);
  });
});

describe('exit codes', () => {
  test('have one row each', async () => {
    if (!isBuilt(EXIT_CODES)) return;
    const { exitCodes, stopSignals } = await load(EXIT_CODES);
    const numbers = [
      ...Object.values<number>(exitCodes),
      ...Object.values<number>(stopSignals).map((signal) => 128 + signal),
    ].map(String);

    expect(
      checkTable('docs/exit-codes.md', rowsOf('docs/exit-codes.md'), new Map(numbers.map((n) => [n, []]))),
    ).toEqual([]);
  });
});

describe('rules', () => {
  test('have one row each, with their severity', async () => {
    if (!isBuilt(LAYOUT) || !isBuilt(VALIDATORS) || !isBuilt(STORAGE)) return;
    const rules: Rule[] = [
      ...(await load(LAYOUT)).layoutRules,
      ...(await load(VALIDATORS)).validatorRules,
      ...(await (await load(STORAGE)).listRules()),
    ];

    expect(rules).not.toEqual([]);
    expect(
      checkTable('docs/rules.md', rowsOf('docs/rules.md'), new Map(rules.map((r) => [r.rule, [r.severity]]))),
    ).toEqual([]);
  });
});

describe('documents', () => {
  test('link only to what exists', () => {
    expect(checkLinks(repository, markdown())).toEqual([]);
  });

  test('have what the comments of the sources refer to', () => {
    const sources = listTracked(repository).filter((file) => /^(?!.*\/test\/).*\.(?:ts|sql)$/u.test(file));

    expect(checkReferences(repository, sources)).toEqual([]);
  });

  test('show only commands that exist', () => {
    if (!isBuilt(PROGRAM)) return;
    const known = new Set(subcommands([]));

    expect(known).toContain('migrate');
    expect(checkCommands(repository, guides(), known)).toEqual([]);
  });

  test('have one row for each command, with exactly its options', () => {
    if (!isBuilt(PROGRAM)) return;
    const commands = subcommands([]).flatMap((name) => [
      [name],
      ...subcommands([name]).map((sub) => [name, sub]),
    ]);
    const expected = new Map(commands.map((words) => [words.join(' '), [optionsOf(words).join(' ')]]));
    const rows = rowsOf('docs/cli.md').map(([command = '', options = '']) => [
      command,
      options.replaceAll('`', '').split(' ').sort().join(' '),
    ]);

    expect(checkTable('docs/cli.md', rows, expected)).toEqual([]);
  }, 120_000);
});

describe('a table', () => {
  const expected = new Map([
    ['A.B', ['io', '74']],
    ['C.D', ['busy', '75']],
  ]);

  test('agrees when every key has one row that says the same', () => {
    const rows = tableRows(
      '| code | kind | exit |\n|---|---|---|\n| `A.B` | io | 74 | `x` \\| y |\n| `C.D` | busy | 75 | |',
    );

    expect(checkTable('t.md', rows, expected)).toEqual([]);
  });

  test('reports a missing, a double, an unknown and a wrong row', () => {
    const rows = tableRows('| `A.B` | io | 65 |\n| `A.B` | io | 74 |\n| `E.F` | io | 74 |');

    expect(checkTable('t.md', rows, expected).map((one) => one.what)).toEqual([
      'says io, 65 of A.B; it is io, 74',
      'has two rows for A.B',
      'has a row for E.F, which does not exist',
      'has no row for C.D',
    ]);
  });
});

describe('links and commands', () => {
  test('report a dead path, a dead heading and a link out of the repository', async () => {
    const files = {
      'docs/a.md':
        '[b](b.md#the-b) [c](b.md#c) [d](../d.md) [e](../../e) [f](#own) [g](https://x.org)\n# Own\n',
      'docs/b.md': '## The `B`\n\n```\n[z](nowhere.md)\n# c\n```\n',
    };

    const found = await withWorkspace(files, (root) => checkLinks(root, Object.keys(files)));

    expect(found.map((one) => one.what.split(',')[0])).toEqual([
      'links to b.md#c',
      'links to ../d.md',
      'links to ../../e',
    ]);
  });

  test('report a reference of a comment to a document, heading or decision that does not exist', async () => {
    const files = {
      'a.ts':
        '/**\n * Source: docs/a.md, "The\n * list" and docs/adr/0001.\n */\n// docs/b.md and docs/a.md "Lost", docs/adr/0002',
      'docs/a.md': '# The list\n',
      'docs/adr/0001-one.md': '',
    };

    const found = await withWorkspace(files, (root) => checkReferences(root, ['a.ts']));

    expect(found.map((one) => one.what)).toEqual([
      'refers to docs/b.md, which does not exist',
      'refers to docs/a.md "Lost", which does not exist',
      'refers to docs/adr/0002, which does not exist',
    ]);
  });

  test('report a command in a fenced block that does not exist', async () => {
    const text = 'deespec prose\n\n```bash\n$ npx deespec migrate --json\ndeespec dance\n```\n';

    const found = await withWorkspace({ 'a.md': text }, (root) =>
      checkCommands(root, ['a.md'], new Set(['migrate'])),
    );

    expect(found.map((one) => one.what)).toEqual(['shows deespec dance, which does not exist']);
  });
});

describe('docs/database.md', () => {
  const scripts = listTracked(repository).filter((file) => /\/migrations\/\d{3}_.*\.up\.sql$/u.test(file));
  // The shell of a system can be older than this option, without which the tables are the same.
  const readScript = (file: string) =>
    readFileSync(join(repository, file), 'utf8').replace(/^ *contentless_delete = 1,\n/mu, '');
  const documented = () => readFileSync(join(repository, 'docs/database.md'), 'utf8');
  const sqlite = (...commands: string[]) =>
    execFileSync('sqlite3', [':memory:'], {
      encoding: 'utf8',
      input: [...scripts.map(readScript), ...commands].join('\n'),
      stdio: ['pipe', 'pipe', 'pipe'],
    });

  test('has every table and every index of the schema, and no other', () => {
    if (!hasSqliteShell()) return;
    const names = sqlite(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%';",
    );
    const expected = new Map(
      names
        .trim()
        .split('\n')
        .map((name) => [name, []]),
    );

    expect(checkTable('docs/database.md', tableRows(documented()), expected)).toEqual([]);
  });

  test.each(['docs/database.md', 'README.md'])('queries of %s run in the sqlite3 shell', (file) => {
    if (!hasSqliteShell()) return;
    const text = readFileSync(join(repository, file), 'utf8');
    const queries = [...text.matchAll(/^```sql\n([\s\S]*?)^```/gmu)].map((match) => match[1]!);

    expect(queries.length).toBeGreaterThan(0);
    expect(() => sqlite('.bail on', ...queries)).not.toThrow();
  });
});
