import { StorageError } from '@deespec/domain';
import { lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import type { HomePaths } from '../home.js';
import { shortPath } from './socket-path.js';

/** What the background service answers with. */
export interface ControlRoutes {
  /** `GET /status`. */
  readonly status: () => unknown;
  /** `GET /health`. */
  readonly health: () => Promise<unknown>;
  /** `POST /stop`: the service ends after it has answered. */
  readonly stop: () => void;
}

/** An open control socket. */
export interface Control {
  /** Answers nobody any more and removes the socket. */
  close(): Promise<void>;
}

/** No request has a body, and headers are few. Milliseconds and bytes. */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 1_000,
};

const MOST_CONNECTIONS = 20;

/**
 * Answers HTTP on `.storage/service.sock`, which only this user can reach. What a service that died left there is replaced: the caller
 * has the lock of the one service.
 *
 * @throws StorageError `DATABASE.UNSAFE_LINK` when something else than a socket stands there; `FILE.*`
 */
export async function openControl(paths: HomePaths, routes: ControlRoutes): Promise<Control> {
  removeStale(paths.socket);
  const server = createServer(limits, (request, response) => void answer(routes, { request, response }));
  server.maxConnections = MOST_CONNECTIONS;
  const short = shortPath(paths.socket);
  try {
    await listen(server, short.path);
  } catch (error) {
    short.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    short.close();
  };
  return { close };
}

function removeStale(socket: string): void {
  const stat = lstatSync(socket, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw new StorageError('DATABASE.UNSAFE_LINK', `${socket} is not what deespec made it`, {
      hint: 'look at it, move it away, then run the command again',
      details: { path: socket },
    });
  }
  unlinkSync(socket);
}

/** The name is bound before `listen` returns, so that nobody ever sees another mode. */
async function listen(server: Server, path: string): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    server.once('error', reject).once('listening', resolve);
  });
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await ready;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(routes: ControlRoutes, { request, response }: Exchange): Promise<void> {
  const { method = '', url = '', headers } = request;
  request.resume();
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return send(response, 413, { error: 'a request has no body' });
  const known = ['/status', '/health', '/stop'].includes(url);
  if (!known) return send(response, 404, { error: 'GET /status, GET /health, POST /stop' });
  if (method !== (url === '/stop' ? 'POST' : 'GET'))
    return send(response, 405, { error: `not with ${method}` });
  try {
    if (url === '/status') return send(response, 200, routes.status());
    if (url === '/health') return send(response, 200, await routes.health());
    response.once('close', routes.stop);
    send(response, 202, { stopping: true });
  } catch (error) {
    send(response, 500, { error: error instanceof Error ? error.message : String(error) });
  }
}

function send(response: ServerResponse, code: number, value: unknown): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' };
  response.writeHead(code, headers).end(`${JSON.stringify(value)}\n`);
}
