// A process of its own that lives long and writes when it is asked to, as a service does.
import { isStorageError, parseSbiId, type Storage } from '@deespec/domain';
import { openStorage } from '@deespec/storage';

import type { Answer, Ask, ServiceOptions } from './service-messages.js';

const { home, name } = JSON.parse(process.argv[2]!) as ServiceOptions;
const storage = await openStorage({ home, user: name });
process.on('message', (message: Ask | { readonly stop: true }) => void answer(message));
process.send?.({ ask: 0, outcome: 'ok', tookMs: 0, mode: storage.mode } satisfies Answer);

async function answer(message: Ask | { readonly stop: true }): Promise<void> {
  if ('stop' in message) {
    await storage.close();
    process.disconnect();
    return;
  }
  const startedMs = performance.now();
  const outcome = await write(storage, message);
  const tookMs = Math.round(performance.now() - startedMs);
  process.send?.({ ask: message.ask, outcome, tookMs, mode: storage.mode } satisfies Answer);
}

async function write(to: Storage, { id, title }: Ask): Promise<string> {
  const sbiId = parseSbiId(id);
  try {
    const read = await to.getSbi(sbiId).catch((error: unknown) => {
      if (isStorageError(error, 'SBI.NOT_FOUND')) return undefined;
      throw error;
    });
    if (read === undefined) await to.createSbi({ id: sbiId, title });
    else await to.updateSbi(read, { title });
    return 'ok';
  } catch (error) {
    return isStorageError(error) ? `${error.code}: ${error.message}` : `untyped: ${String(error)}`;
  }
}
