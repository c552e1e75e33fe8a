import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Longest path of a socket, bytes. Source: unix(7), `sun_path` without its end. */
const MOST_BYTES = 107;

/**
 * Gives `use` a path of a socket that the system takes, whatever the length of the tree's path: through the directory, which stays
 * open until {@link ShortPath.close}. Where there is no /proc a path that is too long stays too long.
 */
export interface ShortPath {
  readonly path: string;
  close(): void;
}

/** See {@link ShortPath}. */
export function shortPath(socket: string): ShortPath {
  if (Buffer.byteLength(socket) <= MOST_BYTES) return { path: socket, close: () => undefined };
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
  const directory = openSync(dirname(socket), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return { path: `/proc/self/fd/${directory}/${basename(socket)}`, close: () => closeSync(directory) };
}
