import { createHash } from 'node:crypto';

import { describe, expect, test } from '@jest/globals';

import { MOST_EVENTS } from '@deespec/domain';
import type { Change, DerivedUnit, SbiId, TreeEdit, TreePath, TreeView } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { Overlay } from '../src/index.js';
import { apply, filesOf, NOW, pathOf, viewOf, type Files } from './change-support.js';
import { DIR, ID, JOURNAL, journal, line, lines, OTHER_ID, pick, state } from './support.js';

const goTree: Files = { [`${DIR}/spec.md`]: '# Spec\n', [`${DIR}/meta.yml`]: `id: ${ID}\n` };
const documentTree: Files = { [`${DIR}/spec.md`]: '# Spec\n', [`${DIR}/state.json`]: state() };
const trees = [
  ['go', goTree],
  ['document', documentTree],
] as const;

const create: Change = { kind: 'create-sbi', sbi: { id: ID, title: 't', spec: Buffer.from('# t') } };
const update: Change = { kind: 'update-sbi', id: ID, fields: { title: 'new' } };
const remove: Change = { kind: 'delete-sbi', id: ID };
const claim: Change = { kind: 'claim-sbi', id: ID, leaseExpiresAt: '2026-03-01T11:00:00Z' };
const step = (run = 1, turn = 2): Change => {
  const content = Buffer.from(`run ${run}`);
  const execution = { sbiId: ID, run, turn, step: 'implement', content } as const;
  return { kind: 'append-execution', execution: { ...execution, status: 'WIP', decision: 'PENDING' } };
};
const done: Change = { kind: 'update-sbi', id: ID, fields: { status: 'DONE' } };

const code = (name: string): object => expect.objectContaining({ code: name });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function made(base: Files | TreeView, ...changes: readonly Change[]): Overlay {
  const view = 'journal' in base ? (base as TreeView) : viewOf(base);
  const overlay = new Overlay(view, { checks, now: NOW });
  changes.forEach((change, at) => overlay.make(change, `line-${at}`));
  return overlay;
}

const names = (edits: readonly TreeEdit[]): string[] =>
  filesOf(edits).map((path) => path.replace(`${DIR}/`, ''));

describe('edits of several changes', () => {
  test('put a path once, where it is put last, and expect what stood there before all of them', () => {
    const { edits } = made(documentTree, update, step(), update);

    expect(names(edits)).toEqual(['implement_2.md', JOURNAL, 'state.json']);
    const last = edits.at(-1) as Extract<TreeEdit, { op: 'put' }>;
    expect(last.expected).toBe(sha256(state()));
  });

  test('make what was not there before, however often it is changed', () => {
    const { edits } = made({}, create, update, step());

    expect(names(edits)).toEqual(['spec.md', 'implement_2.md', JOURNAL, 'state.json']);
    const puts = edits.flatMap((edit) => (edit.op === 'put' ? [edit.expected] : []));
    expect(new Set(puts)).toEqual(new Set([undefined]));
  });

  test('append lines in their order', () => {
    const { edits } = made(goTree, claim, step(), done);

    const lines = edits.flatMap((edit) => (edit.op === 'append' ? [edit.line.toString()] : []));
    expect(lines.map((text) => (JSON.parse(text) as { id: string }).id)).toEqual([
      'line-0',
      'line-1',
      'line-2',
    ]);
  });

  test('neither make nor discard an SBI that came and went', () => {
    const { edits } = made({}, create, step(), remove);

    expect(edits.map(pathOf)).toEqual(['specs', 'specs/sbi', 'var', JOURNAL]);
  });

  test('discard one that was there, without what was added to it', () => {
    const { edits } = made(documentTree, update, step(), remove);

    expect(names(edits)).toEqual([JOURNAL, 'state.json', DIR]);
    expect(apply(documentTree, edits)).not.toHaveProperty([`${DIR}/spec.md`]);
  });

  test('make an SBI anew where one was discarded', () => {
    const { edits } = made(documentTree, update, remove, create);

    expect(names(edits)).toEqual(['state.json', DIR, 'spec.md', 'state.json']);
    expect(Object.keys(apply(documentTree, edits)).sort()).toEqual([
      'specs/sbi',
      DIR,
      `${DIR}/spec.md`,
      `${DIR}/state.json`,
    ]);
  });

  test('keep the mode of a file that is replaced', () => {
    const view = viewOf(documentTree);
    const isPrivate = (path: TreePath): boolean => path === `${DIR}/state.json`;
    const find: TreeView['find'] = (path) => {
      const found = view.find(path);
      return found !== undefined && isPrivate(path) ? { ...found, mode: 0o600 } : found;
    };
    const { edits } = made({ ...view, find }, update, step(), update);

    const modes = edits.flatMap((edit) => (edit.op === 'put' ? [edit.version.mode] : []));
    expect(modes).toEqual([0o644, 0o755, 0o600]);
  });

  test('are those of before when a change is refused', () => {
    const overlay = made(documentTree, update, claim);
    const before = overlay.edits;

    expect(() => overlay.make(claim, 'again')).toThrow(code('LEASE.HELD'));
    expect(() => overlay.make(create, 'again')).toThrow(code('SBI.EXISTS'));
    const error = { ...step(), execution: { ...(step() as { execution: object }).execution, error: 'a\0' } };
    expect(() => overlay.make(error as Change, 'again')).toThrow(code('LAYOUT.CANNOT_EXPRESS'));

    expect(overlay.edits).toEqual(before);
  });
});

describe('reads of an overlay', () => {
  test.each([
    ['a torn last line', `${journal(pick())}{"ts"`, 1],
    ['a whole last line without line feed', journal(pick(), line()).trimEnd(), 2],
  ])('end %s before ours, and know its events', (_, before, events) => {
    const overlay = made({ ...goTree, [JOURNAL]: before }, step(1, 3));

    const after = Buffer.concat([...overlay.read(JOURNAL as TreePath)]).toString();
    expect(after.startsWith(`${before}\n{"artifacts"`)).toBe(true);
    expect(overlay.find(JOURNAL as TreePath)).toMatchObject({ size: after.length, sha256: sha256(after) });
    expect(overlay.journal.eventsOf(ID)).toHaveLength(events + 1);
  });

  test('count runs on from the picks of the tree', () => {
    const overlay = made({ ...goTree, [JOURNAL]: journal(pick(), pick()) }, claim, step(3));

    expect(overlay.journal.eventsOf(ID).map(({ run }) => run)).toEqual([1, 2, 3, 3]);
    expect(overlay.derive(ID)?.executions.map(({ run, turn }) => [run, turn])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [3, 2],
    ]);
  });

  test.each(trees)('keep the last of very many events (%s)', (_, tree) => {
    const before = { ...tree, [JOURNAL]: journal(pick(), ...lines(MOST_EVENTS)) };
    const first = made(before).derive(ID)!;
    const second = made(before, step(1, MOST_EVENTS + 2)).derive(ID)!;

    const turns = ({ executions }: DerivedUnit): number[] => executions.map(({ turn }) => turn);
    expect(turns(first)).toEqual(Array.from({ length: MOST_EVENTS }, (__, at) => at + 2));
    expect(turns(second)).toEqual([...turns(first).slice(1), MOST_EVENTS + 2]);
    expect(second.executions.at(-1)).toMatchObject({ run: 1, contentPath: expect.any(String) });
  });

  test('know nothing of an SBI that is not there', () => {
    const overlay = made(goTree, remove);

    expect(overlay.derive(ID)).toBeUndefined();
    expect(overlay.find(`${DIR}/spec.md` as TreePath)).toBeUndefined();
    expect(() => [...overlay.read(`${DIR}/spec.md` as TreePath)]).toThrow(code('FILE.NOT_FOUND'));
    expect(() => overlay.leaseOf(ID)).toThrow(code('SBI.NOT_FOUND'));
    expect(() => overlay.make(update, 'x')).toThrow(code('SBI.NOT_FOUND'));
  });

  test('derive the first of two directories of an id, whose files alone are changed', () => {
    const second = `${DIR}_slug`;
    const overlay = made({ ...documentTree, [`${second}/meta.yml`]: '' }, update);

    expect(overlay.derive(ID)).toMatchObject({ path: DIR, sbi: { metadata: { title: 'new' } } });
    expect(overlay.leaseOf(ID)).toBeUndefined();
    expect(names(overlay.edits)).toEqual(['state.json']);
  });

  test.each(trees)('know the lease, also one that has ended (%s)', (_, tree) => {
    const claimed = made(tree, claim);
    expect(claimed.leaseOf(ID)).toBe('2026-03-01T11:00:00.000000000Z');

    claimed.make({ kind: 'renew-lease', id: ID, leaseExpiresAt: '2026-01-01T09:00:00.25+09:00' }, 'l');
    expect(claimed.leaseOf(ID)).toBe('2026-01-01T00:00:00.250000000Z');
    claimed.make({ kind: 'release-sbi', id: ID, status: 'READY' }, 'm');

    expect(claimed.leaseOf(ID)).toBeUndefined();
  });

  test.each(trees)('write a lease as programs write times (%s)', (layout, tree) => {
    const overlay = made(tree, { ...claim, leaseExpiresAt: '2026-03-01T11:00:00.000000000Z' });

    const path = layout === 'go' ? 'var/state.json' : `${DIR}/state.json`;
    const written = JSON.parse(Buffer.concat([...overlay.read(path as TreePath)]).toString()) as object;
    expect(written).toMatchObject({ lease_expires_at: '2026-03-01T11:00:00Z' });
    expect(() => made(tree, { ...claim, leaseExpiresAt: 'tomorrow' })).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
  });

  test('give at most 1 MiB at a time', () => {
    const content = Buffer.alloc(2_500_000, 'z');
    const execution = { ...(step() as Extract<Change, { kind: 'append-execution' }>).execution, content };
    const overlay = made(documentTree, { kind: 'append-execution', execution });

    const chunks = [...overlay.read(`${DIR}/implement_2.md` as TreePath)];
    expect(chunks.map(({ length }) => length)).toEqual([1_048_576, 1_048_576, 402_848]);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
  });

  test('take what is no directory for an SBI that exists', () => {
    expect(() => made({ [DIR]: 'a file' }, create)).toThrow(code('SBI.EXISTS'));
  });

  test('list the newest SBIs that are left, and those that were made', () => {
    const [older, newer] = ['SBI-01M810CC00000000000000000A', 'SBI-01M810CC01ZZZZZZZZZZZZZZZZ'] as SbiId[];
    const overlay = made({ ...documentTree, [`specs/sbi/${older}/state.json`]: state() }, remove);
    expect(overlay.newestSbis(1)).toEqual([`specs/sbi/${older}`]);

    overlay.make({ kind: 'create-sbi', sbi: { id: newer!, title: 't', spec: Buffer.from('# t') } }, 'x');

    expect(overlay.newestSbis(2)).toEqual([newer, older].map((id) => `specs/sbi/${id}`));
    expect(overlay.newestSbis(1)).toEqual([`specs/sbi/${newer}`]);
  });

  test('have the settings of every file, in byte order', () => {
    const files = {
      'setting.json': '{"b": 1, "Z": 2}',
      'workflow.json': '{"x": 1e400}',
      'etc/workflow.yaml': 'x: 0\na: y\n',
    };
    const overlay = made(files, { kind: 'set-config', key: 'setting.é', valueJson: '[ 1 ]' });

    expect(overlay.config().map(({ key, valueJson }) => [key, valueJson])).toEqual([
      ['setting.Z', '2'],
      ['setting.b', '1'],
      ['setting.é', '[ 1 ]'],
      ['workflow.a', '"y"'],
      ['workflow.x', '1e400'],
    ]);
    expect(made({ etc: { link: '/tmp' } }).config()).toEqual([]);
  });
});

describe('what a change says of files', () => {
  test('is the first that it replaces', () => {
    const overlay = made(documentTree);
    const before = overlay.find(`${DIR}/state.json` as TreePath)!.sha256;

    const { oldHash, newHash } = overlay.make(step(), 'x');

    expect(oldHash).toBe(before);
    expect(newHash).toBe(overlay.find(`${DIR}/state.json` as TreePath)!.sha256);
  });

  test('is the first that it makes, when it replaces none; and nothing, when it puts none', () => {
    const overlay = made({});

    expect(overlay.make(create, 'a')).toEqual({ newHash: sha256('# t') });
    expect(overlay.make(remove, 'b')).toEqual({});
  });
});

describe('the layout of a new SBI', () => {
  const at = (n: number): string => `specs/sbi/SBI-01M810CC0000000000000000${String(n).padStart(2, '0')}`;
  const some = (name: string, from: number, count: number): Files =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${at(from + i)}/${name}`, state()]));

  test.each<[string, Files, string]>([
    ['a tree without SBIs: the document', {}, 'state.json'],
    ['one with a workflow of the Go tool: go', { 'etc/workflow.yaml': 'a: 1\n' }, 'meta.yml'],
    ['one with its state: go', { 'var/state.json': '{}' }, 'meta.yml'],
    ['more of the document', { ...some('state.json', 0, 2), ...some('meta.yml', 5, 1) }, 'state.json'],
    ['more of the Go tool', { ...some('state.json', 0, 1), ...some('meta.yaml', 5, 2) }, 'meta.yml'],
    [
      'as many of both',
      { ...some('state.json', 0, 2), ...some('meta.yml', 5, 2), 'var/x': '' },
      'state.json',
    ],
    ['none that tells', { ...some('spec.md', 0, 3), 'var/state.json': '{}' }, 'meta.yml'],
    ['only the newest count', { ...some('meta.yml', 0, 30), ...some('state.json', 30, 33) }, 'state.json'],
    ['and no older ones', { ...some('state.json', 0, 35), ...some('meta.yml', 35, 33) }, 'meta.yml'],
  ])('%s', (_, files, file) => {
    expect(names(made(files, create).edits).at(-1)).toBe(file);
  });
});

describe('an SBI that is done', () => {
  test.each(trees)('can be claimed again; its runs keep what they said (%s)', (_, tree) => {
    const overlay = made(tree, claim, step(), { kind: 'release-sbi', id: ID, status: 'DONE' });
    expect(overlay.derive(ID)?.sbi).toMatchObject({ status: 'DONE', completedAt: NOW });

    overlay.make(claim, 'again');

    const again = overlay.derive(ID);
    expect(again?.sbi?.status).toBe('WIP');
    expect(again?.sbi).not.toHaveProperty('completedAt');
    expect(
      again?.executions.map(({ run, turn, contentPath }) => [run, turn, contentPath !== undefined]),
    ).toEqual([
      [1, 1, false],
      [1, 2, true],
      [2, 1, false],
    ]);
  });
});

describe('an SBI of the Go tool that is done without a pick', () => {
  test('cannot be claimed: its journal says for ever that this run is done', () => {
    expect(() => made(goTree, done, claim)).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
    expect(made(documentTree, done, claim).derive(ID)?.sbi?.status).toBe('WIP');
  });
});

describe('the cost of a change', () => {
  /** A tree of which only what belongs to one SBI may be read. */
  function narrow(files: Files): TreeView {
    const view = viewOf(files);
    const others = [JOURNAL, `specs/sbi/${OTHER_ID}`];
    const guard = <T>(path: TreePath | SbiId, work: () => T): T => {
      if (others.some((other) => path === OTHER_ID || path.startsWith(other)))
        throw new Error(`read ${path}`);
      return work();
    };
    return {
      scan: () => guard(JOURNAL as TreePath, () => []),
      find: (path) => guard(path, () => view.find(path)),
      read: (path) => guard(path, () => view.read(path)),
      entriesOf: (id) => guard(id, () => view.entriesOf(id)),
      newestSbis: (limit) => view.newestSbis(Math.min(limit, 0)),
      journal: {
        add: () => undefined,
        eventsOf: (id) => guard(id, () => view.journal.eventsOf(id)),
        countOf: (id) => guard(id, () => view.journal.countOf(id)),
        picksOf: (id) => guard(id, () => view.journal.picksOf(id)),
      },
    };
  }

  test.each(trees)('is that of its SBI: nothing else is read (%s)', (_, tree) => {
    const other = { [`specs/sbi/${OTHER_ID}/state.json`]: state(), [JOURNAL]: journal(pick(), line()) };
    const id = 'SBI-01M810CC01ZZZZZZZZZZZZZZZZ' as SbiId;
    const release: Change = { kind: 'release-sbi', id: ID, status: 'DONE' };
    const config: Change = { kind: 'set-config', key: 'setting.a', valueJson: '1' };
    const fresh: Change = { kind: 'create-sbi', sbi: { id, title: 't', spec: Buffer.from('# t') } };

    const overlay = made(
      narrow({ ...other, ...tree }),
      update,
      claim,
      step(2, 3),
      release,
      config,
      fresh,
      remove,
    );

    expect(overlay.edits.length).toBeGreaterThan(5);
    expect(overlay.derive(id)?.sbi?.id).toBe(id);
    expect(overlay.config()).toHaveLength(1);
  });
});
