// Content for a change comes from a file outside the tree or from standard input: read here and nowhere else, as bytes.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { isStorageError, limitHint, StorageError, systemCode } from '@deespec/domain';
import { safeText } from './safe-text.js';

/** Largest content of a change, bytes: it is held in memory several times over. */
const MOST_BYTES = 67_108_864;

/**
 * Reads the whole file, or standard input for `-`. Pipes and other special files are read to their end.
 *
 * @param signal - ends the wait for more, with its reason
 * @throws StorageError `FILE.NOT_FOUND`, `FILE.PERMISSION`, `FILE.READ_FAILED`; `USAGE.INVALID` for more than 64 MiB
 */
export async function readInput(path: string, signal: AbortSignal): Promise<Buffer> {
  const stream: Readable = path === '-' ? process.stdin : createReadStream(path);
  const stop = (): void => void stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await readAll(stream, path);
  } catch (error) {
    throw inputError(error, path);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

async function readAll(stream: Readable, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw tooLarge(path);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(path: string): StorageError {
  return new StorageError('USAGE.INVALID', `${shown(path)} holds more than ${MOST_BYTES} bytes`, {
    hint: 'give a smaller file',
    details: { path, mostBytes: MOST_BYTES },
  });
}

function inputError(error: unknown, path: string): unknown {
  const system = systemCode(error);
  if (isStorageError(error) || system === undefined) return error;
  const details = { path, system };
  if (system === 'ENOENT') {
    return new StorageError('FILE.NOT_FOUND', `there is no file ${shown(path)}`, {
      hint: 'name a file that exists, or - for standard input',
      details,
      cause: error,
    });
  }
  const code = system === 'EACCES' || system === 'EPERM' ? 'FILE.PERMISSION' : 'FILE.READ_FAILED';
  return new StorageError(code, `cannot read ${shown(path)} (${system})`, {
    hint: limitHint(system) ?? 'name a file that you may read, or - for standard input',
    details,
    cause: error,
  });
}

function shown(path: string): string {
  return path === '-' ? 'standard input' : safeText(path);
}
