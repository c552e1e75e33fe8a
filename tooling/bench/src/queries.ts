import { openIndex } from '@deespec/storage';

import type { Budget } from './cases.js';

/** Times of single calls in this process, milliseconds. */
export interface QuerySamples {
  readonly name: string;
  readonly samples: readonly number[];
  /** The same without this product: the bare statement. */
  readonly bare?: readonly number[];
  /** What the 99th percentile may be, milliseconds; absent where every row is looked at. */
  readonly budget?: Budget;
}

/** A query that answers a person or an agent, milliseconds. Source: migration strategy, "Success Criteria". */
export const queryBudget: Budget = { must: 10, goal: 1 };

type Index = Awaited<ReturnType<typeof openIndex>>['index'];
type SbiId = Parameters<Index['getSbi']>[0];

const CALLS = 1000;

/** Times `getSbi` and `listSbis` (a page of 100 after a random item) through `@deespec/storage`, 1,000 calls each. */
export async function timeQueries(home: string): Promise<QuerySamples[]> {
  const storage = await openIndex({ home, store: 'sqlite' });
  try {
    const { index } = storage;
    const ids = await listIds(index);
    const at = (call: number): SbiId => ids[(call * 7919) % ids.length]!;
    const get = await timeCalls((call) => index.getSbi(at(call)));
    const list = await timeCalls((call) => index.listSbis({ limit: 100, after: at(call) }));
    return [
      { name: 'get one SBI, in process', samples: get, budget: queryBudget },
      { name: 'list a page of 100, in process', samples: list, budget: queryBudget },
    ];
  } finally {
    await storage.close();
  }
}

async function listIds(index: Index): Promise<SbiId[]> {
  const ids: SbiId[] = [];
  for (;;) {
    const after = ids.at(-1);
    const page = await index.listSbis({ limit: 1000, ...(after === undefined ? {} : { after }) });
    ids.push(...page.map((sbi) => sbi.id));
    if (page.length < 1000) return ids;
  }
}

/** Times calls after a tenth as many that are not counted. */
export async function timeCalls(call: (number: number) => unknown, calls = CALLS): Promise<number[]> {
  const samples: number[] = [];
  for (let number = -calls / 10; number < calls; number += 1) {
    const started = performance.now();
    await call(number + calls / 10);
    if (number >= 0) samples.push(performance.now() - started);
  }
  return samples;
}
