// A process of its own: a mutant that makes the product hang, recurse or eat memory ends this process, not the suite.
import { rmSync } from 'node:fs';

import { judgeTree } from './judge.js';
import { makeMutant } from './mutant.js';
import type { FromWorker, WorkerOrder } from './worker-messages.js';
import { wholeRun } from './whole-run.js';

process.once('message', (order: WorkerOrder) => {
  void work(order).then(() => process.disconnect());
});

async function work({ seed, from, to, step, wholeEvery, directory }: WorkerOrder): Promise<void> {
  for (let index = from; index < to; index += step) {
    await send({ kind: 'start', index });
    const { tree } = makeMutant(seed, index);
    const chunkBytes = 1 + ((index * 7) % 97);
    const { wrong, quarantined, cpuMs } = judgeTree(tree, chunkBytes);
    const isWhole = index % wholeEvery === 0;
    const whole = isWhole ? await wholeRun(tree, { directory, quarantined }) : [];
    rmSync(directory, { recursive: true, force: true });
    await send({
      kind: 'end',
      index,
      wrong: [...wrong, ...(whole === 'refused' ? [] : whole)],
      quarantined: quarantined.length,
      cpuMs,
      whole: !isWhole ? 'no' : whole === 'refused' ? 'refused' : 'done',
    });
  }
}

function send(message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
