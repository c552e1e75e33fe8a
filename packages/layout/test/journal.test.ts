import { describe, expect, test } from '@jest/globals';

import type { JournalEvent } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { MemorySpool, readContext } from '../src/index.js';
import type { TreeContext } from '../src/index.js';
import { DIR, ID, JOURNAL, journal, line, OTHER_ID, pick, treeOf } from './support.js';
import type { Content, TreeOptions } from './support.js';

interface Reading extends TreeContext {
  readonly events: readonly JournalEvent[];
  readonly rules: readonly (readonly [string, number | undefined])[];
  readonly reason: string | undefined;
}

function read(content: Content, options: TreeOptions = {}, files: Record<string, Content> = {}): Reading {
  const spool = new MemorySpool();
  const context = readContext(treeOf({ [JOURNAL]: content, ...files }, options), { checks, spool });
  const rules = [...context.findings.values()].flat().map(({ rule, line: at }) => [rule, at] as const);
  const reason = [...context.quarantined.values()][0];
  return { ...context, events: spool.eventsOf(ID), rules, reason };
}

const bad = (fields: object): string => JSON.stringify({ ...line(), ...fields });

describe('readContext on a journal', () => {
  test('gives each SBI its lines, counting runs by picks', () => {
    const text = journal(
      pick(),
      line(),
      pick({ artifacts: [{ type: 'pick', id: OTHER_ID, spec_path: `.deespec/specs/sbi/${OTHER_ID}` }] }),
      line({ turn: 3 }),
      pick(),
      line(),
    );

    const { events, rules, quarantined } = read(text);

    expect(events.map((event) => [event.line, event.run, event.turn, event.isPick])).toEqual([
      [1, 1, 1, true],
      [2, 1, 2, false],
      [4, 1, 3, false],
      [5, 2, 1, true],
      [6, 2, 2, false],
    ]);
    expect(rules).toEqual([]);
    expect(quarantined.size).toBe(0);
  });

  test('types a line completely', () => {
    const second = line({
      error: 'boom',
      attempt: 2,
      decision: 'NEEDS_CHANGES',
      ts: '2026-01-01T09:00:02.5+09:00',
    });
    const first = `  ${JSON.stringify(pick())}`;

    const { events } = read(journal(first, second));

    expect(events).toEqual([
      {
        sbiId: ID,
        run: 1,
        line: 1,
        offset: 2,
        ts: '2026-01-01T00:00:01.000000000Z',
        turn: 1,
        step: 'plan',
        isPick: true,
        taskId: 'T-1',
        decision: 'PENDING',
        elapsedMs: 0,
      },
      {
        sbiId: ID,
        run: 1,
        line: 2,
        offset: first.length + 1,
        ts: '2026-01-01T00:00:02.500000000Z',
        turn: 2,
        step: 'implement',
        isPick: false,
        status: 'WIP',
        decision: 'NEEDS_CHANGES',
        attempt: 2,
        elapsedMs: 500,
        error: 'boom',
        artifact: 'implement_2.md',
      },
    ]);
  });

  test('takes lines before any pick for run 1', () => {
    expect(read(journal(line(), line({ turn: 3 }))).events.map(({ run }) => run)).toEqual([1, 1]);
  });

  test.each([
    ['a rollup object', [{ type: 'impl_note_rollup', path: `.deespec/${DIR}/impl_notes.md` }], undefined],
    ['a directory with a slug', [`.deespec/${DIR}_slug/implement_2.md`], 'implement_2.md'],
    ['a single path', `.deespec/${DIR}/implement_2.md`, 'implement_2.md'],
    ['a status object', [{ type: 'status', id: ID }], undefined],
    [
      'its own step file among others',
      [`.deespec/${DIR}/review_3.md`, `.deespec/${DIR}/implement_2.md`],
      'implement_2.md',
    ],
  ])('attributes a line by %s', (_name, artifacts, artifact) => {
    const { events, rules } = read(journal(line({ artifacts })));

    expect(events.map((event) => event.artifact)).toEqual([artifact]);
    expect(rules).toEqual([]);
  });

  test.each([
    ['no artifacts', []],
    ['null', null],
    ['a path of the project', ['src/a.ts']],
    ['an absolute path', [`/home/x/.deespec/${DIR}/implement_2.md`]],
    ['a path that climbs', [`.deespec/specs/sbi/${OTHER_ID}/../${ID}/implement_2.md`]],
    ['an id that is none', [{ type: 'pick', id: 'SBI-INIT-001' }]],
    ['an id in another object', [{ type: 'note', id: ID }]],
  ])('warns of a line that names no SBI: %s', (_name, artifacts) => {
    const { events, rules, quarantined } = read(journal(line({ artifacts })));

    expect(events).toEqual([]);
    expect(rules).toEqual([['journal-no-sbi', 1]]);
    expect(quarantined.size).toBe(0);
  });

  test('counts a line that names two SBIs for the first', () => {
    const artifacts = [`.deespec/${DIR}/implement_2.md`, `.deespec/specs/sbi/${OTHER_ID}/implement_2.md`];

    const { events, rules, spool } = read(journal(line({ artifacts })));

    expect(events).toHaveLength(1);
    expect(spool.eventsOf(OTHER_ID)).toEqual([]);
    expect(rules).toEqual([['journal-several-sbis', 1]]);
  });

  test.each([
    ['garbage', 'garbage', 'journal-syntax'],
    ['a cut line', '{"ts":"2026-0', 'journal-syntax'],
    ['two objects', `${JSON.stringify(line())}${JSON.stringify(line())}`, 'journal-syntax'],
    ['an array', '[]', 'journal-syntax'],
    ['a byte order mark', `\ufeff${JSON.stringify(line())}`, 'journal-syntax'],
    ['NUL bytes', '\0\0\0', 'journal-syntax'],
    ['a turn that is text', bad({ turn: '3' }), 'shape'],
    ['a fraction as turn', bad({ turn: 2.5 }), 'number-range'],
    ['a turn beyond 2^53', bad({ turn: 2 ** 53 + 2 }), 'number-range'],
    ['more time than there was', bad({ elapsed_ms: 1e15 }), 'number-range'],
    ['an unknown status', bad({ status: 'wip' }), 'status-known'],
    ['an unknown decision', bad({ decision: 'MAYBE' }), 'decision-known'],
    ['an impossible date', bad({ ts: '2025-02-30T00:00:00Z' }), 'time-format'],
    ['a time without zone', bad({ ts: '2025-01-01T00:00:00' }), 'time-format'],
    ['no time', bad({ ts: undefined }), 'time-format'],
    ['the zero time', bad({ ts: '0001-01-01T00:00:00Z' }), 'time-format'],
    ['a key twice', `{"turn":1,${JSON.stringify(line()).slice(1)}`, 'duplicate-key'],
    ['a key twice but for case', `{"Turn":1,${JSON.stringify(line()).slice(1)}`, 'case-fold-key'],
    ['nesting', bad({ x: JSON.parse('['.repeat(70) + ']'.repeat(70)) }), 'json-depth'],
    ['NUL in a column', bad({ step: 'a\0b' }), 'column-text'],
    [
      'NUL in a task id',
      JSON.stringify(pick({ artifacts: [{ type: 'pick', id: ID, task_id: '\0' }] })),
      'column-text',
    ],
    ['a megabyte', bad({ error: 'x'.repeat(1_048_576) }), 'journal-line-too-long'],
  ])('leaves a line with %s out and uses all others', (_name, damaged, rule) => {
    const { events, rules, reason } = read(journal(pick(), damaged, line({ turn: 3 })));

    expect(events.map((event) => event.line)).toEqual([1, 3]);
    expect(rules).toEqual([[rule, 2]]);
    expect(reason).toBe('lines not interpreted: 2');
  });

  test('leaves out a line of bytes that are no UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from(journal(pick())), Buffer.from([0x7b, 0xff, 0x7d, 0x0a])]);

    expect(read(bytes).rules).toEqual([['journal-syntax', 2]]);
  });

  test('reads a line of ours that came between the object of another program and its line feed', () => {
    const ours = (turn: number): string => {
      const { artifacts, ...rest } = line({ turn });
      return JSON.stringify({ artifacts, id: `01M8${turn}`, ...rest });
    };
    const foreign = JSON.stringify(line({ turn: 3, error: '}{"artifacts":[' }));
    const text = journal(pick(), `${foreign}${ours(4)}${ours(5)}`, '', line({ turn: 6 }));

    const { events, rules, quarantined } = read(text);

    expect(
      events.map(({ line: number, turn, offset }) => [number, turn, text.slice(offset, offset + 1)]),
    ).toEqual([
      [1, 1, '{'],
      [2, 3, '{'],
      [2, 4, '{'],
      [2, 5, '{'],
      [4, 6, '{'],
    ]);
    expect(rules).toEqual([['journal-blank-line', 3]]);
    expect(quarantined.size).toBe(0);
  });

  test('takes empty and null fields for absent', () => {
    const { events, rules } = read(journal(line({ status: '', decision: '', error: null, attempt: null })));

    expect(rules).toEqual([]);
    expect(events[0]).toMatchObject({ decision: 'PENDING' });
    expect(events[0]).not.toHaveProperty('status');
  });

  test('keeps a line without turn and step for its status', () => {
    const artifacts = [{ type: 'status', id: ID }];
    const { events, rules } = read(journal({ ts: '2026-01-01T00:00:00Z', status: 'DONE', artifacts }));

    expect(rules).toEqual([]);
    expect(events).toMatchObject([{ turn: 0, step: '', status: 'DONE' }]);
  });

  test('keeps the good prefix of a journal with a torn last line', () => {
    const { events, rules, quarantined } = read(`${journal(pick(), line())}{"ts":"2026-01`);

    expect(events).toHaveLength(2);
    expect(rules).toEqual([['journal-torn-line', 3]]);
    expect(quarantined.size).toBe(0);
  });

  test('does not take an event that lost its line feed for a torn line', () => {
    const { rules, reason } = read(`${journal(pick())}${JSON.stringify(line())}{"ts":"2026-01`);

    expect(rules).toEqual([['journal-syntax', 2]]);
    expect(reason).toBe('lines not interpreted: 2');
  });

  test('uses a whole last line without line feed', () => {
    const { events, rules } = read(journal(pick(), line()).trimEnd());

    expect(events).toHaveLength(2);
    expect(rules).toEqual([]);
  });

  test('warns of blank lines and reads CRLF', () => {
    const { events, rules } = read(journal(pick(), '', ' \t\r', `${JSON.stringify(line())}\r`));

    expect(events.map((event) => event.line)).toEqual([1, 4]);
    expect(rules).toEqual([
      ['journal-blank-line', 2],
      ['journal-blank-line', 3],
    ]);
  });

  test('reads the same events whatever the chunks are', () => {
    const text = `${journal(pick(), 'x', '', line({ error: 'ü' }))}{"torn`;
    const whole = read(text);

    for (const chunkBytes of [1, 2, 7, 64]) {
      const parts = read(text, { chunkBytes });
      expect([parts.events, parts.rules]).toEqual([whole.events, whole.rules]);
    }
  });

  test('lists a thousand garbage lines and counts the rest', () => {
    const { findings, reason } = read('x\n'.repeat(1_500));
    const list = [...findings.values()].flat();

    expect(list).toHaveLength(1_001);
    expect(list.at(-1)).toMatchObject({ line: 1_001, actual: '500 more findings from this line on' });
    expect(reason).toMatch(/^lines not interpreted: 1, 2, .*20 and 1480 more$/u);
  });

  test.each([
    ['a symlink', { link: '/etc/passwd' }, 'not-a-regular-file'],
    ['a directory', { directory: true } as const, 'not-a-regular-file'],
    ['zero bytes only', Buffer.alloc(100), 'zero-filled'],
  ])('quarantines a journal that is %s', (_name, content, rule) => {
    const { rules, reason } = read(content);

    expect(rules).toEqual([[rule, undefined]]);
    expect(reason).toMatch(rule);
  });

  test('looks for nothing behind a symlinked directory', () => {
    const spool = new MemorySpool();
    const tree = treeOf({ var: { link: '/elsewhere' } });
    const found = {
      ...tree,
      find: (path: never) => (path === JOURNAL ? tree.find('var' as never) : tree.find(path)),
    };

    expect(readContext(found, { checks, spool }).findings.size).toBe(0);
  });

  test('is fine with no journal and with an empty one', () => {
    const missing = readContext(treeOf({}), { checks, spool: new MemorySpool() });

    expect([missing.findings.size, missing.quarantined.size, missing.goState]).toEqual([0, 0, undefined]);
    expect(read('').rules).toEqual([]);
  });

  test('takes little more time for a line than its parsing does', () => {
    const text = journal(...Array.from({ length: 10 }, () => line({ error: 'x'.repeat(150) })));
    const began = process.cpuUsage().user;

    const { spool } = read(Buffer.from(text.repeat(2_000)));

    expect(spool.countOf(ID)).toBe(20_000);
    expect(process.cpuUsage().user - began).toBeLessThan(5_000_000);
  });
});

describe('readContext on var/state.json', () => {
  const goState = (content: Content) => {
    const files = { 'var/state.json': content };
    const context = readContext(treeOf(files), { checks, spool: new MemorySpool() });
    return { goState: context.goState, rules: [...context.findings.values()].flat().map(({ rule }) => rule) };
  };

  test('types what it says', () => {
    const text = JSON.stringify({
      version: 3,
      current: 'implement',
      status: 'WIP',
      turn: 2,
      wip: ID,
      lease_expires_at: '2026-01-01T09:00:00+09:00',
      decision: 'PENDING',
      attempt: 1,
    });

    expect(goState(text)).toEqual({
      goState: {
        wip: ID,
        status: 'WIP',
        current: 'implement',
        turn: 2,
        attempt: 1,
        decision: 'PENDING',
        leaseExpiresAt: '2026-01-01T00:00:00.000000000Z',
      },
      rules: [],
    });
  });

  test('takes empty texts for absent', () => {
    const text = JSON.stringify({
      status: '',
      wip: '',
      lease_expires_at: '',
      decision: '',
      attempt: null,
      turn: 0,
    });

    expect(goState(text)).toEqual({ goState: { turn: 0 }, rules: [] });
  });

  test.each([
    ['torn', '{"wip":', 'json-syntax'],
    ['with an unknown status', '{"status":"BUSY"}', 'status-known'],
    ['with a bad time', '{"lease_expires_at":"tomorrow"}', 'time-format'],
    ['a symlink', { link: 'x' }, 'not-a-regular-file'],
  ])('does not use one that is %s', (_name, content, rule) => {
    expect(goState(content)).toEqual({ goState: undefined, rules: [rule] });
  });
});
