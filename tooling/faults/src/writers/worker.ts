// A process of its own that writes through the API until it has made its number of writes, or is killed.
import { Random } from '@deespec/trees';
import { openStorage } from '@deespec/storage';

import { Ledger, readLedger } from './ledger.js';
import { Work } from './work.js';
import type { WorkerOptions } from './worker-options.js';

const options = JSON.parse(process.argv[2]!) as WorkerOptions;
const { home, name, life, seed, writes } = options;
const earlier = readLedger(options.ledger, name);
const ledger = new Ledger(options.ledger);
const storage = await openStorage({ home, user: name, sessionId: `${name}-${life}` });
const work = new Work(storage, { ledger, random: new Random(seed + 7_919 * life), options }, earlier);
let isWanted = true;
process.on('message', () => (isWanted = false));
while (isWanted && work.acknowledged < writes) await work.some();
await storage.close();
ledger.close();
process.disconnect?.();
