import { StorageError, systemCode } from '@deespec/domain';
import { version as readVersion } from '@deespec/storage';
import Fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';

import { serveApi } from './api.js';
import type { App } from './app.js';
import { Events } from './events.js';
import { readBearer } from './guard/bearer.js';
import { Guard } from './guard/guard.js';
import { Sessions } from './guard/sessions.js';
import { readPages } from './http/pages.js';
import { Jobs } from './jobs/jobs.js';
import { OpenTree } from './tree.js';

/** What {@link startAdmin} takes. */
export interface AdminOptions {
  /** Path of the `.deespec` directory. */
  readonly home: string;
  /** The account that changes are made by, for the audit log. */
  readonly user: string;
  /** 0 or absent: any that is free. */
  readonly port?: number;
  /** Every route that changes something is refused. */
  readonly readOnly?: boolean;
  /** Where the token of services is; made when there is no such file. Absent: there are no services. */
  readonly tokenFile?: string;
  /** How the command is run, without its arguments, to start the background service again after a run; absent: it is not. */
  readonly program?: readonly [string, ...string[]];
  /** Told what went wrong where no answer can say it: one line, without a secret. */
  readonly onProblem?: (message: string) => void;
  /** The present; default the clock of this machine. */
  readonly now?: () => Date;
}

/** A server that runs. */
export interface Admin {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** A new link that opens the app once, within a minute; the one before opens nothing any more. */
  makeLink(): string;
  /** Ends every connection; a long job is asked to stop, and awaited. A second call does nothing. */
  close(): Promise<void>;
}

/** Largest body and headers, bytes. Source: docs/admin.md, "Limits". */
const BODY_BYTES = 1_048_576;
const HEADER_BYTES = 16_384;

/** Of both servers. Times: how long a request and its headers may take to arrive, milliseconds. */
const limits = {
  maxHeaderSize: HEADER_BYTES,
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  // Ours is the answer to a request without one.
  requireHostHeader: false,
};

/**
 * Serves the admin app of a tree on the loopback addresses of this machine, until it is closed. The tree is opened by the first request
 * that needs it.
 *
 * @throws StorageError `TREE.NOT_FOUND`, `ADMIN.PORT_TAKEN`, `ADMIN.TOKEN_UNSAFE`
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { readOnly: isReadOnly = false, tokenFile, now = () => new Date() } = options;
  const isBearer = tokenFile === undefined ? undefined : readBearer(tokenFile);
  const nowMs = (): number => now().getTime();
  let port = 0;
  const cookieName = (): string => `deespec_session_${port}`;
  const app = await appOf(options, { sessions: new Sessions(nowMs), cookieName, now });
  const guard = new Guard({
    port: () => port,
    cookieName,
    sessions: app.sessions,
    isReadOnly,
    nowMs,
    ...(isBearer === undefined ? {} : { isBearer }),
  });
  const server = Fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: limits.requestTimeout,
    http: limits,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 512 },
    forceCloseConnections: true,
  });
  serveApi(server, { app, guard, pages: readPages(), say: options.onProblem ?? silent });
  await server.ready();
  const other = await listen(server, options.port ?? 0);
  port = (server.server.address() as AddressInfo).port;
  const url = `http://127.0.0.1:${port}`;
  let closing: Promise<void> | undefined;
  return {
    url,
    makeLink: () => `${url}/#token=${app.sessions.makeLinkToken()}`,
    close: () => (closing ??= closeAll(app, [other, server])),
  };
}

function silent(): void {
  // Nobody asked to be told.
}

interface AppParts extends Pick<App, 'sessions' | 'now'> {
  readonly cookieName: () => string;
}

async function appOf(options: AdminOptions, { sessions, cookieName, now }: AppParts): Promise<App> {
  const { user, readOnly: isReadOnly = false, program, onProblem: say = silent } = options;
  const home = realpathSync(options.home);
  const events = new Events(home);
  const jobs = new Jobs({
    home,
    onChange: (job) => events.send('job', { ...job }),
    onBug: (requestId, what) => say(`request ${requestId} failed: ${what}`),
    ...(program === undefined ? {} : { program }),
  });
  return {
    home,
    project: basename(dirname(home)),
    user,
    isReadOnly,
    version: (await readVersion()).version,
    get cookieName() {
      return cookieName();
    },
    tree: new OpenTree(home, (problem) => say(`the other store is behind: ${problem.message}`)),
    sessions,
    jobs,
    events,
    now,
  };
}

async function closeAll(
  { jobs, events, tree }: App,
  [other, server]: readonly [Server | undefined, FastifyInstance],
): Promise<void> {
  await jobs.close();
  events.close();
  other?.closeAllConnections();
  other?.close();
  await server.close();
  await tree.close();
}

/**
 * Listens on 127.0.0.1, and on ::1 where there is such an address: a browser that is told "localhost" asks there first, and another
 * account could answer.
 *
 * @returns the server beside Fastify's own
 */
async function listen(server: FastifyInstance, port: number): Promise<Server | undefined> {
  try {
    await server.listen({ host: '127.0.0.1', port });
  } catch (error) {
    throw systemCode(error) === 'EADDRINUSE' ? taken(port) : error;
  }
  const { port: bound } = server.server.address() as AddressInfo;
  const other = createServer(limits, (request, response) => server.routing(request, response));
  try {
    await once(other.listen({ host: '::1', port: bound, ipv6Only: true }), 'listening');
    return other;
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE') return undefined;
    await server.close();
    throw taken(bound);
  }
}

function taken(port: number): StorageError {
  return new StorageError('ADMIN.PORT_TAKEN', `another program listens on port ${port}`, {
    hint: 'choose another one with --port, or leave it out',
    details: { port },
  });
}
