import { StorageError } from '@deespec/domain';
import { timingSafeEqual } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';

import { hashOf, secret } from './sessions.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Largest token file, bytes. */
const MOST_BYTES = 1_024;

/**
 * The token of services, from a file that only this account can read; one that does not exist is made, with a new token.
 *
 * @returns true for the value of an `Authorization` header that carries it
 * @throws StorageError `ADMIN.TOKEN_UNSAFE`
 */
export function readBearer(path: string): (authorization: string) => boolean {
  const expected = hashOf(tokenIn(path));
  return (authorization) => {
    const token = /^Bearer ([\w-]{32,200})$/u.exec(authorization)?.[1];
    return token !== undefined && timingSafeEqual(hashOf(token), expected);
  };
}

function tokenIn(path: string): string {
  const descriptor = openToken(path);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw unsafe(path, 'is not a regular file');
    if (stat.uid !== process.getuid?.()) throw unsafe(path, 'belongs to another account');
    if ((stat.mode & 0o077) !== 0) throw unsafe(path, 'can be read by other accounts');
    if (stat.size > MOST_BYTES) throw unsafe(path, 'is too large to be a token');
    const token = readFileSync(descriptor, 'utf8').trim();
    if (/^[\w-]{32,200}$/u.test(token)) return token;
    throw unsafe(path, 'holds no token: 32 to 200 letters, digits, "_" and "-"');
  } finally {
    closeSync(descriptor);
  }
}

function openToken(path: string): number {
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unsafe(path, 'cannot be read', error);
  }
  try {
    const made = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    writeSync(made, `${secret()}\n`);
    closeSync(made);
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw unsafe(path, 'cannot be made', error);
  }
}

function unsafe(path: string, what: string, cause?: unknown): StorageError {
  return new StorageError('ADMIN.TOKEN_UNSAFE', `the token file ${path} ${what}`, {
    hint: `chmod 600 ${path}, or name a new file: it is made with a new token`,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
