import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isStorageError } from '@deespec/domain';
import type { Change, DerivedUnit, JournalEvent, SbiId, TreeView } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { Overlay } from '../src/index.js';
import { apply, overlay, viewOf, type Files } from './change-support.js';
import { honest, someChange, trees } from './some-change.js';
import { derive, ID, JOURNAL, journal, line, MTIME, OTHER_ID, pick } from './support.js';

const NEW_ID = 'SBI-01M810CC01ZZZZZZZZZZZZZZZZ' as SbiId;

const tornTree: Files = { ...trees[1], [JOURNAL]: `${journal(pick(), line())}{"ts":"2026-01` };

/** Changes of two SBIs, which come and go. */
const manyChanges = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(someChange, fc.constantFrom(ID, NEW_ID)).map(([change, id]) => of(change, id)),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(ID, NEW_ID).map((id): Change => {
        return { kind: 'create-sbi', sbi: { id, title: 'x', spec: Buffer.from('# x') } };
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom(ID, NEW_ID).map((id): Change => ({ kind: 'delete-sbi', id })) },
  ),
  { minLength: 1, maxLength: 9 },
);

function of(change: Change, id: SbiId): Change {
  if (change.kind === 'append-execution') {
    return { ...change, execution: { ...change.execution, sbiId: id } };
  }
  return 'id' in change ? { ...change, id } : change;
}

/** The code with which `work` is refused, if it is. */
function refusal(work: () => void): string | undefined {
  try {
    work();
  } catch (error) {
    if (isStorageError(error) && honest.includes(error.code)) return error.code;
    throw error;
  }
  return undefined;
}

/** Without what is not known before a line is written. */
const placeless = ({ line: _, offset: __, ...event }: JournalEvent): object => event;
const lineless = (unit: DerivedUnit | undefined): unknown => ({
  sbi: unit?.sbi,
  paths: unit?.entries.map(({ path }) => path),
  executions: unit?.executions.map(({ metadata: { line: _, earlier: __, ...metadata }, ...row }) => {
    return { ...row, metadata };
  }),
});

/** Everything that can be read from a view. */
function allOf(view: TreeView): unknown {
  const entries = [...view.scan()];
  return {
    entries: entries.map(({ path, kind, size, mtimeNs }) => ({
      ...{ path, kind, size, mtimeNs },
      sha256: view.find(path)?.sha256,
      content: kind === 'file' ? Buffer.concat([...view.read(path)]).toString('latin1') : '',
    })),
    newest: view.newestSbis(2),
    sbis: [ID, NEW_ID, OTHER_ID].map((id) => ({
      entries: view.entriesOf(id).map(({ path, size }) => [path, size]),
      events: view.journal.eventsOf(id).map(placeless),
    })),
  };
}

test('many changes on one tree read and write as they do one by one', () => {
  fc.assert(
    fc.property(fc.constantFrom(...trees, tornTree), manyChanges, (tree, changes) => {
      const together = new Overlay(viewOf(tree), { checks, now: MTIME });
      let files: Files = tree;
      changes.forEach((change, at) => {
        const lineId = `line-${at}`;
        let edits: Overlay['edits'] = [];
        const alone = refusal(() => (edits = overlay(files, change, { now: MTIME, lineId }).edits));
        expect(refusal(() => together.make(change, lineId))).toBe(alone);
        files = apply(files, edits);
      });

      const after = viewOf(files);
      const units = derive(files);
      expect(allOf(together)).toEqual(allOf(after));
      expect(allOf(viewOf(apply(tree, together.edits)))).toEqual(allOf(after));
      for (const id of [ID, NEW_ID]) {
        const unit = units.find(({ sbi, path }) => sbi?.id === id || path.endsWith(id));
        expect(lineless(together.derive(id))).toEqual(lineless(unit));
      }
      expect(together.config()).toEqual(units.flatMap(({ config }) => config).sort(byKey));
      const lines = together.edits.filter(({ op }) => op === 'append');
      expect(new Set(lines.map((edit) => 'path' in edit && edit.path))).toEqual(
        new Set(lines.length === 0 ? [] : [JOURNAL]),
      );
    }),
    { numRuns: 150 },
  );
});

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
}
