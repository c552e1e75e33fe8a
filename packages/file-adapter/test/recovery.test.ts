import { pathFromText, type TreeEdit } from '@deespec/domain';
import { isChained } from '@deespec/layout';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { openFileStorage, type FileTreeStore } from '../src/index.js';
import {
  append,
  codeOf,
  contentsOf,
  makeDirectory,
  note,
  ownNames,
  plant,
  put,
  quickSystem,
  removal,
  sha256,
  systemError,
  temporary,
} from './support.js';

const ourLine = '{"ours":1}';
const edits: readonly TreeEdit[] = [
  put('a', 'new a', 'old a'),
  put('b', 'new b'),
  removal('gone', 'gone'),
  makeDirectory('d'),
  append('log.ndjson', ourLine),
];
const before = { a: 'old a', gone: 'gone', 'log.ndjson': '{"theirs":1}\n' };

/** Where the process dies: at the first call of this name that touches this path. */
interface Death {
  readonly call: 'renameSync' | 'mkdirSync' | 'unlinkSync' | 'openSync' | 'linkSync' | 'writeSync';
  readonly path: string;
  /** How many such calls it survives. */
  readonly survives?: number;
}

const atLine: Death = { call: 'openSync', path: '/log.ndjson' };
const atRecord: Death = { call: 'openSync', path: '/audit.ndjson', survives: 1 };
const atEnd: Death = { call: 'unlinkSync', path: '.edit' };
const atDirectory: Death = { call: 'mkdirSync', path: '/d' };

/** A tree whose writer died, and a fresh store on it. */
async function died(
  death: Death,
  work: (tree: { store: FileTreeStore; home: string }) => unknown,
): Promise<void> {
  const { directory: home, remove } = temporary();
  let isDead = false;
  let left = death.survives ?? 0;
  const system = new Proxy(quickSystem, {
    get: (target, name) => {
      const call: unknown = Reflect.get(target, name);
      if (typeof call !== 'function') return call;
      return (...args: unknown[]): unknown => {
        const isHere = name === death.call && args.some((arg) => String(arg).endsWith(death.path));
        if (isHere && isArmed && (left -= 1) < 0) isDead = true;
        if (isDead) throw systemError('EIO');
        return Reflect.apply(call, target, args) as unknown;
      };
    },
  });
  let isArmed = false;
  try {
    plant(home, before);
    const first = openFileStorage({ home, system }).store;
    await first.edit(() => ({ edits: [], audit: [note('a')] }));
    isArmed = true;
    expect(await codeOf(() => first.edit(() => ({ edits, audit: [note('b'), note('c')] })))).toBe(
      'FILE.OUTCOME_UNKNOWN',
    );
    expect(isDead).toBe(true);
    await work({ store: openFileStorage({ home }).store, home });
  } finally {
    remove();
  }
}

const made = {
  a: 'file 640 new a',
  b: 'file 640 new b',
  d: 'directory 750 ',
  'log.ndjson': `file 644 {"theirs":1}\n${ourLine}\n`,
};
const actionsOf = (store: FileTreeStore): string[] => [...store.auditSince(0)].map(({ action }) => action);

describe('an edit whose process died', () => {
  test.each([
    ['in the middle', atDirectory],
    ['before its line', atLine],
    ['before its records', atRecord],
    ['before it was closed', atEnd],
  ])('%s is finished by the next edit', (_, death) =>
    died(death, async ({ store, home }) => {
      await store.edit((tree) => {
        expect(tree.find(pathFromText('b'))?.size).toBe(5);
        return { edits: [] };
      });

      expect(contentsOf(store)).toEqual(made);
      const records = [...store.auditSince(0)];
      expect(records.map(({ action }) => action)).toEqual(['a', 'b', 'c']);
      expect(records.every((record, at) => isChained(record, records[at - 1]))).toBe(true);
      expect(ownNames(home, 'dirty')).toEqual([]);
      expect(store.settleReplaced(0)).toEqual([]);
    }),
  );

  test('is taken back when another program changed a path since', () =>
    died(atDirectory, async ({ store, home }) => {
      fs.writeFileSync(join(home, 'a'), 'theirs');

      await store.recover();

      expect(contentsOf(store)).toEqual({
        a: 'file 640 theirs',
        gone: 'file 644 gone',
        'log.ndjson': 'file 644 {"theirs":1}\n',
      });
      expect(actionsOf(store)).toEqual(['a']);
      expect(ownNames(home, 'dirty')).toEqual([]);
    }));

  test('goes on past what another program changed once its line stands', () =>
    died(atRecord, async ({ store, home }) => {
      fs.writeFileSync(join(home, 'a'), 'theirs');
      fs.rmSync(join(home, 'd'), { recursive: true });

      await store.recover();

      expect(contentsOf(store)).toEqual({ ...made, a: 'file 640 theirs' });
      expect(actionsOf(store)).toEqual(['a', 'b', 'c']);
    }));

  test('is over, whatever the paths hold, once its records stand', () =>
    died(atEnd, async ({ store, home }) => {
      fs.writeFileSync(join(home, 'a'), 'theirs');
      fs.rmSync(join(home, 'b'));

      await store.recover();

      const { b: _, ...rest } = made;
      expect(contentsOf(store)).toEqual({ ...rest, a: 'file 640 theirs' });
      expect(actionsOf(store)).toEqual(['a', 'b', 'c']);
    }));

  test.each([
    ['', `${ourLine}\n`],
    ['{"more":1}\n', `{"more":1}\n${ourLine}\n`],
    [ourLine.slice(0, 4), `${ourLine.slice(0, 4)}\n${ourLine}\n`],
    [ourLine, `${ourLine}\n`],
    [`${ourLine}\n`, `${ourLine}\n`],
    [`{"torn\n${ourLine}\n{"more":1}\n`, `{"torn\n${ourLine}\n{"more":1}\n`],
    [`{"x":${ourLine}\n`, `{"x":${ourLine}\n${ourLine}\n`],
  ])('has its line once where the journal goes on with %j', (tail, expected) =>
    died(atLine, async ({ store, home }) => {
      fs.appendFileSync(join(home, 'log.ndjson'), tail);

      await store.recover();
      await store.recover();

      expect(fs.readFileSync(join(home, 'log.ndjson'), 'utf8')).toBe(`{"theirs":1}\n${expected}`);
    }),
  );

  test('appends again what another program cut off', () =>
    died(atRecord, async ({ store, home }) => {
      fs.writeFileSync(join(home, 'log.ndjson'), 'x\n');

      await store.recover();

      expect(fs.readFileSync(join(home, 'log.ndjson'), 'utf8')).toBe(`x\n${ourLine}\n`);
    }));
});

describe('a damaged tree', () => {
  const id = '0mwv0nkp8-9376101f0e3c054c';
  const edit = `.storage/dirty/${id}.edit`;

  test('drops an edit that is torn anywhere', () =>
    died(atDirectory, async ({ store, home }) => {
      const name = ownNames(home, 'dirty').find((one) => one.endsWith('.edit'))!;
      const whole = fs.readFileSync(join(home, '.storage/dirty', name));
      const tree = contentsOf(store);
      for (let length = 0; length < whole.length; length += 7) {
        fs.writeFileSync(join(home, '.storage/dirty', name), whole.subarray(0, length));
        await store.recover();
        expect(ownNames(home, 'dirty')).toEqual([]);
        expect(contentsOf(store)).toEqual(tree);
      }
    }));

  test.each(['../outside', '.storage/epoch', 'deespec.db', 'a//b', '/etc/x'])(
    'makes no edit that names %s',
    async (path) => {
      const { directory, remove } = temporary();
      const home = join(directory, 'home');
      const step = { op: 'put', path, kind: 'file', mode: 420, sha256: sha256('x'), bytes: 1 };
      plant(home, { [edit]: '' });
      fs.writeFileSync(join(home, edit), signed(id, [step], 'x'));
      const { store } = openFileStorage({ home });

      await store.recover();

      expect(fs.readdirSync(directory)).toEqual(['home']);
      expect(fs.readdirSync(home)).toEqual(['.storage']);
      expect(fs.readdirSync(join(home, '.storage'))).toEqual(['dirty']);
      expect(ownNames(home, 'dirty')).toEqual([]);
      remove();
    },
  );

  test('makes an edit that is whole', async () => {
    const { directory: home, remove } = temporary();
    const step = { op: 'put', path: 'f', kind: 'file', mode: 420, sha256: sha256('x'), bytes: 1 };
    plant(home, { [edit]: '' });
    fs.writeFileSync(join(home, edit), signed(id, [step], 'x'));
    const { store } = openFileStorage({ home });

    await store.recover();

    expect(contentsOf(store)).toEqual({ f: 'file 644 x' });
    remove();
  });

  test.each(['.storage', '.storage/dirty', '.storage/conflicts'])(
    'is refused where %s leads elsewhere',
    async (place) => {
      const { directory, remove } = temporary();
      const home = join(directory, 'home');
      const outside = join(directory, 'outside');
      plant(directory, {
        'outside/': '',
        'home/a': 'x',
        ...(place === '.storage' ? {} : { 'home/.storage/': '' }),
      });
      fs.symlinkSync(outside, join(home, place));
      const { store } = openFileStorage({ home, owes: true });

      expect(await codeOf(() => store.edit(() => ({ edits: [put('a', 'y', 'x')] })))).toBe(
        'TREE.PATH_UNSAFE',
      );

      expect(fs.readFileSync(join(home, 'a'), 'utf8')).toBe('x');
      expect(fs.readdirSync(outside)).toEqual([]);
      remove();
    },
  );
});

/** An edit as a file that is whole. */
function signed(id: string, steps: readonly object[], contents: string): string {
  const header = { format: 1, id, since: '2026-01-02T03:04:05.000000000Z', steps, audit: [] };
  const text = `${JSON.stringify(header)}\n${contents}`;
  return `${text}${sha256(text)}\n`;
}
