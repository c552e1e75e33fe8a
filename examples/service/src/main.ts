import { openStorage } from '@deespec/storage';

import { runWorker } from './worker.js';

// Usage: node dist/main.js <.deespec directory>
const home = process.argv[2];
if (home === undefined) {
  process.stderr.write('usage: node dist/main.js <.deespec directory>\n');
  process.exit(64);
}

const storage = await openStorage({
  home,
  user: 'example-service',
  onProblem: ({ code, message }) =>
    process.stderr.write(`the second store is behind: ${message} (${code})\n`),
});
try {
  const finished = await runWorker(storage, {
    leaseMs: 60_000,
    work: async ({ sbi }, renew) => {
      await renew();
      return { report: `# ${sbi.id}\n\nDone.\n\nDECISION: SUCCEEDED\n`, decision: 'SUCCEEDED' };
    },
    onDone: ({ sbi }) => process.stdout.write(`${sbi.id} done\n`),
  });
  await storage.settled();
  process.stdout.write(`${finished} finished in mode ${storage.mode}\n`);
} finally {
  await storage.close();
}
