import { StorageError } from '@deespec/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';

import type { Answer, App, Call, Handlers } from './app.js';
import { operations, type Operation, type OperationName } from './contract.js';
import type { Guard, Wanted } from './guard/guard.js';
import { securityHeaders } from './guard/headers.js';
import { answerWith, type Download } from './http/download.js';
import { readInput } from './http/input.js';
import type { Pages } from './http/pages.js';
import { problemOf } from './http/problem.js';
import { auditRoutes } from './routes/audit.js';
import { failureRoutes } from './routes/failures.js';
import { jobRoutes } from './routes/jobs.js';
import { keepingRoutes } from './routes/keeping.js';
import { overviewRoutes } from './routes/overview.js';
import { sbiRoutes } from './routes/sbis.js';
import { sessionRoutes, sessionView } from './routes/session.js';
import { settingRoutes } from './routes/settings.js';

/** What the API is made of. */
export interface ApiParts {
  readonly app: App;
  readonly guard: Guard;
  readonly pages: Pages;
  readonly say: (message: string) => void;
}

/** Facts about a request that its handler needs. */
interface Admitted {
  caller: string;
}

const admitted = new WeakMap<FastifyRequest, Admitted>();

/** Puts every route of the contract, and the pages, on a server. */
export function serveApi(server: FastifyInstance, parts: ApiParts): void {
  const { app, guard, pages } = parts;
  server.setGenReqId(() => randomBytes(8).toString('hex'));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!isUtf8(body as Buffer)) return done(new StorageError('USAGE.INVALID', 'the body is not UTF-8'));
    // The parser of Fastify, which refuses keys that reach for prototypes.
    return server.getDefaultJsonParser('error', 'error')(request, body.toString('utf8'), done);
  });
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders());
    admitted.set(request, { caller: guard.admit(request, wantedBy(request, pages)) });
  });
  server.setErrorHandler(async (error, request, reply) => fail(error, { request, reply, parts }));
  server.setNotFoundHandler(async (request, reply) => notFound(request, { reply, pages }));
  const handlers = handlersOf(app);
  for (const [name, operation] of Object.entries(operations) as [OperationName, Operation][]) {
    server.route({
      method: operation.method,
      url: operation.path.replaceAll(/\{(\w+)\}/gu, ':$1'),
      config: { operation: name },
      handler: (request, reply) =>
        name === 'watch'
          ? watch(request, { reply, app, guard })
          : answer(request, { reply, app, name, handle: handlers[name] }),
    });
  }
  server.get('/', async (_request, reply) => sendPage(reply, pages));
}

function handlersOf(app: App): Handlers {
  return {
    ...sessionRoutes(app),
    ...overviewRoutes(app),
    ...sbiRoutes(app),
    ...failureRoutes(),
    ...auditRoutes(),
    ...keepingRoutes(app),
    ...settingRoutes(app),
    ...jobRoutes(app),
  };
}

/** What a request asks for, before anything of it is parsed. */
function wantedBy(request: FastifyRequest, pages: Pages): Wanted {
  const { operation } = request.routeOptions.config as { operation?: OperationName };
  if (operation !== undefined) return operations[operation];
  if (request.method !== 'GET') return undefined;
  const path = pathOf(request);
  if (isPagePath(path)) return 'page';
  return pages.find(path) === undefined ? undefined : 'file';
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!;
}

/** Addresses of the client's own: it finds its way by itself. */
function isPagePath(path: string): boolean {
  return (
    path === '/' || (/^\/[\w/&%~-]*$/u.test(path) && !/^\/(?:api|assets|metrics|healthz)(?:\/|$)/u.test(path))
  );
}

type Handler = (call: Call<OperationName>) => Promise<Answer<unknown>>;

interface Answering {
  readonly reply: FastifyReply;
  readonly app: App;
  readonly name: OperationName;
  readonly handle: Handler;
}

async function answer(
  request: FastifyRequest,
  { reply, app, name, handle }: Answering,
): Promise<FastifyReply> {
  const operation: Operation = operations[name];
  const found = await handle(callOf(request, { reply, app, operation }));
  void reply
    .code(found.status ?? (operation.response === 'nothing' ? 204 : 200))
    .headers(found.headers ?? {});
  if (operation.response !== 'bytes') return reply.send(found.body);
  const { headers, body } = await answerWith(found.body as Download);
  return reply.headers(headers).send(body);
}

interface Calling {
  readonly reply: FastifyReply;
  readonly app: App;
  readonly operation: Operation;
}

/** Everything about a request that was let in, checked. @throws StorageError `USAGE.INVALID` */
function callOf(request: FastifyRequest, { reply, app, operation }: Calling): Call<OperationName> {
  const { params, query, body, ifMatch } = operation;
  const gone = new AbortController();
  reply.raw.once('close', () =>
    gone.abort(new StorageError('INTERRUPTED', 'the client does not wait any more')),
  );
  const by = { user: app.user, sessionId: admitted.get(request)!.caller, requestId: request.id };
  if (query === undefined && Object.keys(request.query as object).length > 0)
    readInput(Nothing, request.query, 'query');
  return {
    params: params === undefined ? undefined : readInput(params, request.params, 'path'),
    query: query === undefined ? undefined : readInput(query, request.query, 'query'),
    body: body === undefined ? undefined : readInput(body, request.body, 'body'),
    ifMatch: ifMatch === undefined ? '' : versionIn(request.headers['if-match']),
    by,
    signal: gone.signal,
    storage: () => app.tree.as(by),
  } as Call<OperationName>;
}

/** Takes no key at all. */
class Nothing {}

function versionIn(header: string | undefined): string {
  const version = /^"?([0-9a-f]{1,64})"?$/u.exec(header ?? '')?.[1];
  if (version !== undefined) return version;
  throw new StorageError('USAGE.INVALID', 'the header If-Match does not name the version that is changed', {
    hint: 'send the revision that was read, such as If-Match: "9f3c..."',
  });
}

interface Watching {
  readonly reply: FastifyReply;
  readonly app: App;
  readonly guard: Guard;
}

/** Begins an answer that goes on until the connection or the session ends. */
async function watch(request: FastifyRequest, { reply, app, guard }: Watching): Promise<FastifyReply> {
  if (app.events.isFull) {
    throw new StorageError('REQUEST.TOO_MANY', 'too many watch at once', { hint: 'close another window' });
  }
  const { caller } = admitted.get(request)!;
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...securityHeaders(),
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
  });
  app.events.add({ response: raw, isWelcome: () => guard.isWelcome(caller) }, sessionView(app));
  return reply;
}

interface Failing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly parts: ApiParts;
}

function fail(error: unknown, { request, reply, parts }: Failing): FastifyReply {
  const { app, say } = parts;
  const { status, body, bug } = problemOf(error, { home: app.home, requestId: request.id });
  if (bug !== undefined)
    say(`request ${request.id} failed: ${bug instanceof Error ? bug.stack : typeof bug}`);
  // A body that nobody reads would be waited for.
  if (status === 413 || status === 415) void reply.header('connection', 'close');
  return reply.code(status).type('application/json; charset=utf-8').send(body);
}

interface NotFound {
  readonly reply: FastifyReply;
  readonly pages: Pages;
}

/** The client's own addresses, its files, and what there is not. */
async function notFound(request: FastifyRequest, { reply, pages }: NotFound): Promise<FastifyReply> {
  const path = pathOf(request);
  if (request.method === 'GET') {
    if (isPagePath(path)) return sendPage(reply, pages);
    const file = pages.find(path);
    if (file !== undefined) return reply.type(file.type).send(file.bytes);
  }
  const methods = methodsOf(path);
  if (methods.length > 0) {
    void reply.header('allow', methods.join(', '));
    throw new StorageError('REQUEST.METHOD', `${path} does not know ${request.method}`, {
      hint: `it knows ${methods.join(', ')}`,
    });
  }
  throw new StorageError('REQUEST.NOT_FOUND', 'there is no such route', {
    hint: 'apps/admin/openapi.json has all of them',
  });
}

function methodsOf(path: string): string[] {
  const parts = path.split('/');
  const isSame = (route: string): boolean => {
    const wanted = route.split('/');
    return (
      wanted.length === parts.length && wanted.every((part, at) => part.startsWith('{') || part === parts[at])
    );
  };
  return (Object.values(operations) as Operation[])
    .filter((one) => isSame(one.path))
    .map(({ method }) => method);
}

function sendPage(reply: FastifyReply, pages: Pages): FastifyReply {
  const nonce = randomBytes(16).toString('base64');
  return reply.headers(securityHeaders(nonce)).type('text/html; charset=utf-8').send(pages.page(nonce));
}
