import { openIndex } from '@deespec/storage';

/** Times of single calls in this process, milliseconds. */
export interface QuerySamples {
  readonly name: string;
  readonly samples: readonly number[];
}

type Index = Awaited<ReturnType<typeof openIndex>>['index'];
type SbiId = Parameters<Index['getSbi']>[0];

const CALLS = 1000;
const WARM_UP_CALLS = 100;

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
      { name: 'get one SBI, in process', samples: get },
      { name: 'list a page of 100, in process', samples: list },
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

async function timeCalls(call: (number: number) => Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  for (let number = 0; number < WARM_UP_CALLS + CALLS; number += 1) {
    const started = performance.now();
    await call(number);
    if (number >= WARM_UP_CALLS) samples.push(performance.now() - started);
  }
  return samples;
}
