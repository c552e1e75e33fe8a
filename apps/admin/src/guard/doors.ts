import { StorageError } from '@deespec/domain';
import type { IncomingMessage } from 'node:http';

/** Longest address, bytes. */
const MOST_URL = 4_096;

/** What a request is compared with. */
export interface Place {
  readonly port: number;
  /** The page itself, whose only secret the link carries: it may be opened from anywhere. */
  readonly isPage: boolean;
}

/**
 * Refuses what a page of another origin, or a name that somebody made point at this machine, may send: before anything is looked up.
 * That a server listens on localhost alone keeps out neither.
 *
 * @throws StorageError `REQUEST.TOO_LARGE`, `REQUEST.HOST`, `REQUEST.ORIGIN`
 *
 * Source: docs/admin.md, "Who gets in".
 */
export function requireOwnPage(request: IncomingMessage, { port, isPage }: Place): void {
  if ((request.url ?? '').length > MOST_URL) {
    throw new StorageError('REQUEST.TOO_LARGE', `the address is longer than ${MOST_URL} bytes`);
  }
  const host = requireHost(request, port);
  if (isPage) return;
  const { origin } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`) throw otherOrigin();
  const site = request.headers['sec-fetch-site'];
  // A browser says where a request comes from; a program says nothing, and needs a token all the same.
  if (site !== undefined && site !== 'same-origin') throw otherOrigin();
}

function requireHost(request: IncomingMessage, port: number): string {
  const hosts = request.rawHeaders.filter((_, at) => at % 2 === 0 && isHost(request.rawHeaders[at]));
  const { host } = request.headers;
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`);
  if (hosts.length === 1 && host !== undefined && own.includes(host)) return host;
  throw new StorageError('REQUEST.HOST', 'the request names a host that is not this server', {
    hint: 'use the address that "deespec admin" printed',
  });
}

function isHost(name: string | undefined): boolean {
  return name?.toLowerCase() === 'host';
}

function otherOrigin(): StorageError {
  return new StorageError('REQUEST.ORIGIN', 'the request comes from a page of another origin', {
    hint: 'open the admin app itself; no other page may call it',
  });
}
