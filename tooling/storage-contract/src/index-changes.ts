import type { Change, DerivedUnit, Execution, NewExecution, SbiId } from '@deespec/domain';
import { Overlay } from '@deespec/layout';
import { checks } from '@deespec/validators';
import { expect, test } from '@jest/globals';

import { putText } from './expectations.js';
import type { OnStorage, OpenedStorage } from './open-storage.js';
import { one, two } from './sample-sbis.js';

const now = '2026-03-01T10:00:00.500000000Z';

/** Makes changes in one edit. @returns what an SBI means then, as the overlay says before it is written */
async function change(
  { store }: OpenedStorage,
  id: SbiId,
  ...changes: readonly Change[]
): Promise<DerivedUnit | undefined> {
  let after: DerivedUnit | undefined;
  await store.edit((tree) => {
    const overlay = new Overlay(tree, { checks, now });
    changes.forEach((one, at) => overlay.make(one, `line-${at}`));
    after = overlay.derive(id);
    return { edits: overlay.edits };
  });
  return after;
}

const create = (id: SbiId): Change => {
  return { kind: 'create-sbi', sbi: { id, title: 'A title', spec: Buffer.from('# x'), labels: ['a', 'b'] } };
};
const step = (run: number, values: Partial<NewExecution> = {}): Change => {
  const content = Buffer.from(`run ${run}\xff`, 'latin1');
  const key = { sbiId: one, run, turn: 2, step: 'implement' };
  return {
    kind: 'append-execution',
    execution: { ...key, status: 'REVIEW', decision: 'SUCCEEDED', content, ...values },
  };
};
const claim: Change = { kind: 'claim-sbi', id: one, leaseExpiresAt: '2026-03-01T11:00:00Z' };
const release: Change = { kind: 'release-sbi', id: one, status: 'DONE' };

const shown = ({ run, turn, step: name, status, decision, attempt, contentPath, completedAt }: Execution) => {
  return { run, turn, step: name, status, decision, attempt, contentPath, completedAt };
};

/** Changes of SBIs, as services make them. */
export function changes(on: OnStorage): void {
  test.each(['document', 'go'])('mean what the plan said of them (%s)', (layout) =>
    on(async (storage) => {
      const { store, index } = storage;
      if (layout === 'go') await putText(store, 'etc/workflow.yaml', 'agent: x\n');
      const expectRows = async (said: DerivedUnit | undefined): Promise<void> => {
        expect(await index.getSbi(one)).toEqual(said?.sbi);
        const rows = await index.listExecutions({ sbiId: one });
        expect(rows.map(shown)).toEqual(said?.executions.map(shown));
      };

      await expectRows(await change(storage, one, create(one), create(two), claim, step(1), release));
      const fields = { title: 'Another', label: 'c', priority: 7 };
      const update: Change = { kind: 'update-sbi', id: one, fields };
      await expectRows(await change(storage, one, update, claim, step(2, { decision: 'FAILED' })));

      const key = { sbiId: one, turn: 2, step: 'implement' };
      const contents = [1, 2].map((run) => index.readContent({ ...key, run }));
      expect((await Promise.all(contents)).map((bytes) => bytes?.toString('latin1'))).toEqual([
        'run 1\xff',
        'run 2\xff',
      ]);

      const again: readonly Change[] = [release, { kind: 'delete-sbi', id: two }, create(two)];
      await expectRows(await change(storage, one, ...again));
      expect((await index.getSbi(two)).status).toBe('READY');
      expect(await change(storage, two, { kind: 'delete-sbi', id: two })).toBeUndefined();
      expect((await index.listSbis()).map(({ id }) => id)).toEqual([one]);
    })(),
  );
}
