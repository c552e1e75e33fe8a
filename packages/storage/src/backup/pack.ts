import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream, lstatSync } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

import { damaged } from './check.js';

/** Hash and length of what went through. */
export interface Sum {
  readonly sha256: string;
  readonly size: number;
}

/** Little of the size is gained above this level, and much of the time is spent there. Source: docs/adr/0019. */
const LEVEL = 3;

/** Counts and hashes what goes through, and stops what is longer than it may be. */
class Meter extends Transform {
  readonly #hash = createHash('sha256');
  #size = 0;

  constructor(
    private readonly path: string,
    private readonly most = Infinity,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length;
    if (this.#size > this.most) return done(damaged(this.path, `it holds more than ${this.most} bytes`));
    this.#hash.update(chunk);
    done(null, chunk);
  }

  sum(): Sum {
    return { sha256: this.#hash.digest('hex'), size: this.#size };
  }
}

/** Compresses a file into a new one. @returns what the new one holds */
export async function compress(from: string, to: string, signal: AbortSignal | undefined): Promise<Sum> {
  const meter = new Meter(to);
  await flow(signal, (options) =>
    pipeline(read(from), createGzip({ level: LEVEL }), meter, write(to), options),
  );
  return meter.sum();
}

/**
 * Unpacks a compressed file into a new one, or only reads it to its end: never more than it may hold.
 *
 * @returns what the compressed file is, and what is in it
 * @throws StorageError `BACKUP.DAMAGED` when it holds more than `most` bytes, or is no such file
 */
export async function unpack(
  from: string,
  {
    to,
    most,
    signal,
  }: { readonly to?: string; readonly most: number; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly packed: Sum; readonly content: Sum }> {
  const [packed, content] = [new Meter(from, lstatSync(from).size), new Meter(from, most)];
  const steps = [read(from), packed, createGunzip(), content] as const;
  try {
    await flow(signal, (options) =>
      to === undefined ? pipeline(...steps, drain, options) : pipeline(...steps, write(to), options),
    );
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    if (!code.startsWith('Z_') && code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw damaged(from, `it cannot be decompressed (${code})`);
  }
  return { packed: packed.sum(), content: content.sum() };
}

/** Copies a file to a new one. */
export async function duplicate(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  await flow(signal, (options) => pipeline(read(from, lstatSync(from).size), write(to), options));
}

/** What was stopped ends with why it was stopped. */
async function flow(
  signal: AbortSignal | undefined,
  run: (options: { signal?: AbortSignal }) => Promise<void>,
): Promise<void> {
  try {
    await run(signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function drain(source: AsyncIterable<Buffer>): Promise<void> {
  for await (const _chunk of source);
}

/** What was looked at by its name is not followed elsewhere meanwhile. @param most - what is added to it later is left out */
function read(path: string, most = Infinity) {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  return createReadStream(path, {
    flags: flags as unknown as string,
    highWaterMark: 1_048_576,
    end: Math.max(most - 1, 0),
  });
}

function write(path: string) {
  return createWriteStream(path, { flags: 'wx', mode: 0o600 });
}
