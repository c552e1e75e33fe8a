import { lstatSync } from 'node:fs';
import { request } from 'node:http';

import type { HomePaths } from '../home.js';
import type { ServiceStatus } from './service-status.js';
import { shortPath } from './socket-path.js';

/** Longest answer, bytes. */
const MOST_BYTES = 1_048_576;

/**
 * Asks the background service how it is. Only a socket of this user is spoken to: a tree comes from anywhere.
 *
 * @returns `undefined` when nobody answers within `timeoutMs`
 */
export async function askService(paths: HomePaths, timeoutMs: number): Promise<ServiceStatus | undefined> {
  const stat = lstatSync(paths.socket, { throwIfNoEntry: false });
  if (stat?.isSocket() !== true || stat.uid !== process.getuid?.()) return undefined;
  const short = shortPath(paths.socket);
  try {
    const value: unknown = JSON.parse(await get(short.path, timeoutMs));
    const isStatus = typeof value === 'object' && value !== null && 'pid' in value && 'state' in value;
    return isStatus ? (value as ServiceStatus) : undefined;
  } catch {
    return undefined; // gone, busy, or none of ours
  } finally {
    short.close();
  }
}

function get(socketPath: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asking = request({ socketPath, path: '/status', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) asking.destroy(new Error('too long'));
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    asking.on('error', reject);
    asking.end();
  });
}
