import type { SbiId, Storage, StoredSbi } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { files } from './storage-files.js';
import { claims } from './storage-claims.js';
import { failureOf } from './storage-failures.js';
import { transactions } from './storage-transactions.js';

/** A fresh and empty tree behind the API. */
export interface OpenedApi {
  readonly storage: Storage;
  /** Closes it and checks what it left behind. */
  close(): Promise<void>;
}

/** Opens a storage, does something with it and closes it. */
export type OnApi = (work: (storage: Storage) => Promise<void>) => () => Promise<void>;

/**
 * Registers the contract of `Storage` for one mode and layout; every one passes all of it.
 *
 * @param open - called once per test, for a fresh and empty tree
 */
export function storageContract(name: string, open: () => Promise<OpenedApi>): void {
  const onApi: OnApi = (work) => async () => {
    const opened = await open();
    try {
      await work(opened.storage);
    } finally {
      await opened.close();
    }
  };
  describe(`Storage: ${name}`, () => {
    describe('SBIs', () => items(onApi));
    describe('changes of SBIs', () => changes(onApi));
    describe('lists of SBIs', () => lists(onApi));
    describe('files of an SBI', () => files(onApi));
    describe('executions', () => executions(onApi));
    describe('settings and audit', () => settings(onApi));
    describe('claims', () => claims(onApi));
    describe('transactions', () => transactions(onApi));
  });
}

function items(onApi: OnApi): void {
  test(
    'gives back what was created',
    onApi(async (storage) => {
      const made = await storage.createSbi({
        title: 'Ünïcode ☃',
        spec: '# Spec\n',
        labels: ['a', 'b'],
        priority: 7,
      });

      expect(made).toMatchObject({
        status: 'READY',
        label: 'a,b',
        priority: 7,
        metadata: { title: 'Ünïcode ☃' },
      });
      expect(await storage.getSbi(made.id)).toEqual(made);
      expect(await storage.listSbis()).toEqual([made]);
    }),
  );

  test(
    'refuses an id that is taken and one that does not exist',
    onApi(async (storage) => {
      const { id } = await storage.createSbi({ title: 'one' });

      expect(await failureOf(storage.createSbi({ id, title: 'two' }))).toBe('SBI.EXISTS');
      expect(await failureOf(storage.getSbi(`${id.slice(0, -4)}0000` as SbiId))).toBe('SBI.NOT_FOUND');
    }),
  );
}

function changes(onApi: OnApi): void {
  test(
    'changes fields, and refuses a change of a version that is no longer there with both versions',
    onApi(async (storage) => {
      const read = await storage.createSbi({ title: 'one', priority: 1 });
      const current = await storage.updateSbi(read, { status: 'REVIEW', label: 'x', priority: 2 });

      const stale = storage.updateSbi(read, { priority: 3 }).catch((error: unknown) => error);

      expect(current).toMatchObject({ status: 'REVIEW', label: 'x', priority: 2 });
      expect(await stale).toMatchObject({ code: 'SBI.CHANGED', details: { read, current } });
      expect(await storage.getSbi(read.id)).toEqual(current);
    }),
  );

  test(
    'loses no change of two that were made on the same version at once',
    onApi(async (storage) => {
      const read = await storage.createSbi({ title: 'one' });

      const ends = await Promise.allSettled([
        storage.updateSbi(read, { priority: 1 }),
        storage.updateSbi(read, { priority: 2 }),
      ]);

      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }),
  );

  test(
    'removes an SBI with everything it has',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'gone' });
      const kept = await storage.createSbi({ title: 'kept' });

      await storage.deleteSbi(made);

      expect(await failureOf(storage.getSbi(made.id))).toBe('SBI.NOT_FOUND');
      expect(await storage.listSbis()).toEqual([kept]);
    }),
  );
}

function lists(onApi: OnApi): void {
  test(
    'lists pages, streams all, counts by status and orders what is next',
    onApi(async (storage) => {
      const made: StoredSbi[] = [];
      for (const priority of [0, 5, 1, 5, 3])
        made.push(await storage.createSbi({ title: `p${priority}`, priority }));
      await storage.updateSbi(made[4]!, { status: 'DONE' });

      const first = await storage.listSbis({ limit: 2 });
      const rest = await storage.listSbis({ limit: 10, after: first[1]!.id });
      const streamed: SbiId[] = [];
      for await (const { id } of storage.streamSbis({ limit: 2 })) streamed.push(id);
      const next = await storage.listSbis({ status: 'READY', order: 'next' });

      expect([...first, ...rest].map(({ id }) => id)).toEqual(made.map(({ id }) => id));
      expect(streamed).toEqual(made.map(({ id }) => id));
      expect(next.map(({ priority }) => priority)).toEqual([1, 5, 5, 0]);
      expect(new Map(await storage.countSbis())).toEqual(
        new Map([
          ['DONE', 1],
          ['READY', 4],
        ]),
      );
    }),
  );

  test(
    'finds words of titles, specifications and executions, also within a transaction that changes them',
    onApi(async (storage) => {
      const one = await storage.createSbi({ title: 'Heron one', spec: '# Ibis\n' });
      const two = await storage.createSbi({ title: 'Heron two', spec: 'ibis' });
      const step = { run: 1, turn: 2, step: 'implement', status: 'REVIEW', decision: 'SUCCEEDED' } as const;
      await storage.appendExecution({ ...step, sbiId: two.id, content: Buffer.from('a stork') });
      const idsOf = (items: readonly StoredSbi[]): SbiId[] => items.map(({ id }) => id);
      const streamed: SbiId[] = [];
      for await (const { id } of storage.streamSbis({ search: 'heron IBIS', limit: 1 })) streamed.push(id);

      const inside = await storage.transaction(async (tx) => {
        await tx.updateSbi(one, { title: 'Crane' });
        const three = await tx.createSbi({ title: 'Three', spec: 'heron' });
        await tx.appendExecution({ ...step, sbiId: three.id, content: Buffer.from('egret') });
        return {
          three: three.id,
          heron: idsOf(await tx.listSbis({ search: 'heron' })),
          crane: idsOf(await tx.listSbis({ search: 'crane ibis' })),
          egret: idsOf(await tx.listSbis({ search: 'egret three', limit: 1 })),
        };
      });

      expect(streamed).toEqual([one.id, two.id]);
      expect(inside).toMatchObject({ heron: [two.id, inside.three], crane: [one.id], egret: [inside.three] });
      expect(idsOf(await storage.listSbis({ search: 'heron' }))).toEqual([two.id, inside.three]);
      expect(idsOf(await storage.listSbis({ search: 'stork heron ibis' }))).toEqual([two.id]);
      expect(await failureOf(storage.listSbis({ search: '--' }))).toBe('USAGE.INVALID');
    }),
  );
}

function executions(onApi: OnApi): void {
  const step = { run: 1, turn: 2, step: 'implement', status: 'REVIEW', decision: 'SUCCEEDED' } as const;

  test(
    'appends what a step did with its bytes, once',
    onApi(async (storage) => {
      const { id } = await storage.createSbi({ title: 'one' });
      const content = Buffer.from([0x23, 0x0a, 0xff, 0x00, 0xfe]);

      const appended = await storage.appendExecution({ ...step, sbiId: id, content, elapsedMs: 1_500 });

      expect(appended).toMatchObject({
        sbiId: id,
        run: 1,
        turn: 2,
        step: 'implement',
        decision: 'SUCCEEDED',
      });
      expect(await storage.readContent(appended)).toEqual(content);
      expect(await storage.listExecutions({ sbiId: id })).toContainEqual(appended);
      expect((await storage.getSbi(id)).status).toBe('REVIEW');
      expect(await failureOf(storage.appendExecution({ ...step, sbiId: id, content }))).toBe(
        'EXECUTION.EXISTS',
      );
    }),
  );

  test(
    'loses none of many appended at once',
    onApi(async (storage) => {
      const { id } = await storage.createSbi({ title: 'one' });
      const turns = Array.from({ length: 8 }, (_, i) => i + 2);

      await Promise.all(
        turns.map((turn) =>
          storage.appendExecution({ ...step, sbiId: id, turn, content: Buffer.from(`turn ${turn}`) }),
        ),
      );

      const listed = await storage.listExecutions({ sbiId: id });
      const contents = await Promise.all(
        listed.map(async (key) => (await storage.readContent(key))?.toString()),
      );
      expect(listed.map(({ turn }) => turn)).toEqual(turns);
      expect(contents).toEqual(turns.map((turn) => `turn ${turn}`));
    }),
  );
}

function settings(onApi: OnApi): void {
  test(
    'sets a setting and refuses a change of a value that is no longer there',
    onApi(async (storage) => {
      const first = await storage.setConfig('setting.max_turns', '8');
      const second = await storage.setConfig('setting.max_turns', '9', first);

      const stale = storage.setConfig('setting.max_turns', '10', first);

      expect(await failureOf(stale)).toBe('CONFIG.CHANGED');
      expect(await storage.getConfig('setting.max_turns')).toMatchObject({
        valueJson: '9',
        revision: second.revision,
      });
      expect(await failureOf(storage.setConfig('setting.storage_mode', '"file"'))).toBe('USAGE.INVALID');
    }),
  );

  test(
    'has a row in the audit log for every change, chained',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });
      await storage.updateSbi(made, { priority: 4 });
      await storage.settled();

      const rows = (await storage.listAudit({ limit: 1_000 })).filter(({ seq }) => seq !== undefined);

      expect(rows.map(({ action, entityId }) => [action, entityId])).toEqual([
        ['create', made.id],
        ['update', made.id],
      ]);
      expect(rows[1]).toMatchObject({
        previous: rows[0]!.hash,
        oldValue: '{"priority":0}',
        newValue: '{"priority":4}',
      });
    }),
  );
}
