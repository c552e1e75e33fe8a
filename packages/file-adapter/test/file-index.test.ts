import { pathFromText, type SbiId, type TreeView } from '@deespec/domain';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import type { FileTreeStore } from '../src/index.js';
import { codeOf, plant, put, systemWith, withTree } from './support.js';

const one = 'SBI-01HZ0000000000000000000001' as SbiId;
const two = 'SBI-01HZ0000000000000000000002' as SbiId;
const three = 'SBI-01HZ0000000000000000000003' as SbiId;

const line = (id: string, turn: number, step = 'implement'): string =>
  `${JSON.stringify({
    ts: `2026-01-02T00:00:0${turn}Z`,
    turn,
    step,
    decision: 'PENDING',
    artifacts: [`.deespec/specs/sbi/${id}/${step}_${turn}.md`],
  })}\n`;
const state = (values: object): string =>
  JSON.stringify({ status: 'READY', created_at: '2026-01-02T00:00:00Z', ...values });
const files = {
  [`specs/sbi/${one}/spec.md`]: '# one',
  [`specs/sbi/${one}/state.json`]: state({ priority: 3 }),
  [`specs/sbi/${one}/implement_2.md`]: 'content',
  [`specs/sbi/${two}/state.json`]: state({ priority: 1 }),
  [`specs/sbi/${three}/state.json`]: state({}),
  'setting.json': '{"a":1}',
  'etc/workflow.yaml': 'name: x\n',
  'var/journal.ndjson': line(one, 2),
};

/** A file system that notes which files are opened, below the tree. */
function tracing(): { readonly opened: () => string[]; readonly system: ReturnType<typeof systemWith> } {
  let names: string[] = [];
  const openSync = ((...args: Parameters<typeof fs.openSync>) => {
    names.push(String(args[0]).split('/').slice(-2).join('/'));
    return fs.openSync(...args);
  }) as typeof fs.openSync;
  const opened = (): string[] => {
    const seen = names.filter((name) => name.startsWith('SBI-'));
    names = [];
    return seen;
  };
  return { opened, system: systemWith({ openSync }) };
}

/** Later than every change so far, beyond the time in which two changes may look the same. */
function letTimePass(): void {
  jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the index of a tree on disk', () => {
  test('sees what other programs write', () =>
    withTree(async ({ index, home }) => {
      plant(home, files);
      expect((await index.getSbi(one)).priority).toBe(3);
      expect((await index.listSbis()).map(({ id }) => id)).toEqual([one, two, three]);

      plant(home, { [`specs/sbi/${one}/state.json`]: state({ priority: 4 }), 'setting.json': '{"a":2}' });
      fs.rmSync(join(home, `specs/sbi/${two}`), { recursive: true });

      expect((await index.getSbi(one)).priority).toBe(4);
      expect((await index.listSbis()).map(({ id }) => id)).toEqual([one, three]);
      expect((await index.getConfig('setting.a')).valueJson).toBe('2');
      expect(await codeOf(() => index.getSbi(two))).toBe('SBI.NOT_FOUND');
      expect(await index.listExecutions({ sbiId: two })).toEqual([]);
    }));

  test('derives again what changed, and nothing else', () => {
    const { opened, system } = tracing();
    return withTree(async ({ index, home }) => {
      plant(home, files);
      letTimePass();
      await index.listSbis();
      expect(opened()).not.toEqual([]);

      await index.listSbis();
      await index.countSbis();
      await index.getSbi(one);
      expect(opened()).toEqual([]);

      plant(home, { [`specs/sbi/${two}/state.json`]: state({ priority: 7 }) });
      letTimePass();
      const [, changed] = await index.listSbis();
      expect(changed?.priority).toBe(7);
      expect(new Set(opened())).toEqual(new Set([`${two}/state.json`]));
    }, system);
  });

  test('does not believe that what changed just now is what it looks like', () => {
    const { opened, system } = tracing();
    return withTree(async ({ index, home }) => {
      plant(home, files);
      await index.listSbis();
      opened();

      await index.listSbis();

      expect(opened()).not.toEqual([]);
    }, system);
  });

  test.each<[string, (home: string) => void, SbiId]>([
    [
      'events of the journal',
      (home) => fs.appendFileSync(join(home, 'var/journal.ndjson'), line(two, 2)),
      two,
    ],
    [
      'events of a journal that takes its name, as after each change through the API,',
      (home) => replaceFile(join(home, 'var/journal.ndjson'), line(one, 2) + line(two, 2)),
      two,
    ],
    [
      'events that are others, of one length,',
      (home) => plant(home, { 'var/journal.ndjson': line(one, 3) }),
      one,
    ],
    [
      'the state file',
      (home) => plant(home, { 'var/state.json': `{"wip":"${three}","status":"WIP"}` }),
      three,
    ],
  ])('derives again the SBI that %s speak of', (_, write, id) => {
    const { opened, system } = tracing();
    return withTree(async ({ index, home }) => {
      plant(home, files);
      letTimePass();
      await index.listSbis();
      opened();

      write(home);
      letTimePass();
      await index.listSbis();

      expect(new Set(opened().map((name) => name.split('/')[0]))).toEqual(new Set([id]));
    }, system);
  });

  test('derives again what is too much to be held, and answers alike', () => {
    const { opened, system } = tracing();
    return withTree(async ({ index, home }) => {
      const ids = Array.from({ length: 60 }, (_, at) => `SBI-01HZ00000000000000000001${at + 10}` as SbiId);
      const note = (): string => randomBytes(650_000).toString('base64');
      for (const id of ids) plant(home, { [`specs/sbi/${id}/state.json`]: state({ note: note() }) });
      letTimePass();
      const before = await index.listSbis();
      expect(opened()).toHaveLength(ids.length);

      const again = await index.listSbis();

      const derived = opened().length;
      expect(derived).toBeGreaterThan(0);
      expect(derived).toBeLessThan(ids.length * 0.75);
      expect(again).toEqual(before);
      expect(again.map(({ id }) => id)).toEqual(ids);
    }, system);
  });

  test('looks only where settings and the audit log can stand', () => {
    const { opened, system } = tracing();
    return withTree(async ({ index, home }) => {
      plant(home, files);

      await index.listConfig();
      await index.listAudit();

      expect(opened()).toEqual([]);
    }, system);
  });

  test('takes the state file for what it says now', () =>
    withTree(async ({ index, home }) => {
      plant(home, { ...files, 'var/state.json': `{"wip":"${three}","status":"WIP"}` });
      letTimePass();
      await index.listSbis();

      plant(home, { 'var/state.json': `{"wip":"${two}","status":"REVIEW"}` });
      letTimePass();
      const again = await index.listSbis();

      const { index: fresh } = (await import('../src/index.js')).openFileStorage({ home });
      expect(again).toEqual(await fresh.listSbis());
    }));

  test('reads one SBI alone when it is asked for one', () => {
    const { opened, system } = tracing();
    return withTree(async ({ index, home }) => {
      plant(home, files);

      const [execution] = await index.listExecutions({ sbiId: one });
      expect((await index.readContent(execution!))?.toString()).toBe('content');

      expect(opened().every((name) => name.startsWith(one))).toBe(true);
    }, system);
  });

  test('takes keys of workflow.json out of the other file', () =>
    withTree(async ({ index, home }) => {
      plant(home, files);
      letTimePass();
      expect((await index.listConfig()).map(({ key }) => key)).toEqual(['setting.a', 'workflow.name']);

      plant(home, { 'workflow.json': '{"name":"y"}' });
      letTimePass();

      expect((await index.getConfig('workflow.name')).valueJson).toBe('"y"');
    }));

  test('lists what is to be done next first', () =>
    withTree(async ({ index, home }) => {
      plant(home, files);

      const ids = (await index.listSbis({ order: 'next' })).map(({ id }) => id);
      expect(ids).toEqual([two, one, three]);
      expect((await index.listSbis({ order: 'next', after: one })).map(({ id }) => id)).toEqual([three]);
      expect((await index.listSbis({ order: 'next', limit: 1 })).map(({ id }) => id)).toEqual([two]);
    }));
});

describe('the journal as a plan sees it', () => {
  const eventsOf = async (store: FileTreeStore, id = one): Promise<number[]> => {
    let turns: number[] = [];
    await store.edit((tree: TreeView) => {
      turns = tree.journal.eventsOf(id).map(({ turn }) => turn);
      return { edits: [] };
    });
    return turns;
  };
  const journal = 'var/journal.ndjson';
  const many = Array.from({ length: 4_000 }, (_, at) => line(two, (at % 9) + 1)).join('');

  test('reads only what was added', () => {
    let read = 0;
    const readSync = ((...args: Parameters<typeof fs.readSync>) => {
      const length = fs.readSync(...args);
      read += length;
      return length;
    }) as typeof fs.readSync;
    return withTree(async ({ store, home }) => {
      plant(home, { [journal]: many + line(one, 2) });
      expect(await eventsOf(store)).toEqual([2]);
      expect(read).toBeGreaterThan(many.length);

      read = 0;
      fs.appendFileSync(join(home, journal), line(one, 3));
      expect(await eventsOf(store)).toEqual([2, 3]);

      expect(read).toBeLessThan(200_000);
    }, systemWith({ readSync }));
  });

  test.each<[string, (home: string) => void, number[]]>([
    ['was replaced', (home) => replaceFile(join(home, journal), many + line(one, 4) + line(one, 5)), [4, 5]],
    [
      'was rewritten in place',
      (home) => plant(home, { [journal]: many + line(one, 7) + line(one, 8) }),
      [7, 8],
    ],
    [
      'was replaced by one with the same end',
      (home) =>
        replaceFile(join(home, journal), line(one, 6) + many.slice(line(two, 1).length) + line(one, 2)),
      [6, 2],
    ],
    ['was cut', (home) => fs.truncateSync(join(home, journal), many.length), []],
    ['was removed', (home) => fs.rmSync(join(home, journal)), []],
    [
      'became a directory',
      (home) => [fs.rmSync(join(home, journal)), plant(home, { [`${journal}/`]: '' })],
      [],
    ],
  ])('is read again when it %s', (_, change, expected) =>
    withTree(async ({ store, home }) => {
      plant(home, { [journal]: many + line(one, 2) });
      expect(await eventsOf(store)).toEqual([2]);

      change(home);

      expect(await eventsOf(store)).toEqual(expected);
    }),
  );

  test('counts a last line without line feed as it is now', () =>
    withTree(async ({ store, home }) => {
      const whole = line(one, 2);
      plant(home, { [journal]: whole.slice(0, -1) });
      expect(await eventsOf(store)).toEqual([2]);

      fs.appendFileSync(join(home, journal), `\n${line(one, 3)}`);

      expect(await eventsOf(store)).toEqual([2, 3]);
    }));

  test('lists the SBIs of a plan without the files beside them', () =>
    withTree(async ({ store, home }) => {
      plant(home, { ...files, [`specs/sbi/${one}_slug/f`]: 'x', [`specs/sbi/${three}0`]: 'x' });
      let seen: unknown[] = [];

      await store.edit((tree) => {
        seen = [tree.newestSbis(2), tree.entriesOf(one).length];
        return { edits: [put('z', 'x')] };
      });

      expect(seen).toEqual([[pathFromText(`specs/sbi/${three}`), pathFromText(`specs/sbi/${two}`)], 6]);
    }));
});

/** As programs replace a file: another one takes its name. */
function replaceFile(path: string, content: string): void {
  fs.writeFileSync(`${path}.new`, content);
  fs.renameSync(`${path}.new`, path);
}
