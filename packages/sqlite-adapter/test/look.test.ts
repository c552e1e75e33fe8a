import { pathFromText, putIf } from '@deespec/domain';
import { afterEach, expect, test } from '@jest/globals';

import { openHandle } from '../src/index.js';
import { closeAndCheck, freshStorage, removeDirectories } from './support.js';

afterEach(removeDirectories);

const path = pathFromText('f');

test('a look waits for no writer, and sees what was committed', async () => {
  const { storage, path: file } = await freshStorage();
  const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from('committed') } as const;
  await putIf(storage.store, version, undefined);
  const other = openHandle(file, 'write');
  other.exec('BEGIN IMMEDIATE');
  const startedMs = performance.now();

  const seen = await storage.store.look((tree) => Buffer.concat([...tree.read(path)]).toString());

  expect(seen).toBe('committed');
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  other.close();
  await closeAndCheck(storage, file);
});
