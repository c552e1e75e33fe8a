import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';

import {
  addressOf,
  ask,
  cleanUp,
  enter,
  fileHome,
  routesOf,
  start,
  tokenOf,
  type Browser,
  type Started,
} from './support.js';

let server: Started;
let browser: Browser;

beforeAll(async () => {
  server = await start(fileHome(1));
  browser = await enter(server);
});
afterAll(cleanUp);

/** Sends bytes as they are, and gives everything that comes back. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    socket.on('error', reject).on('close', () => resolve(said));
  });
}

const authority = () => `127.0.0.1:${server.port}`;

describe('The guard, for whoever has a session', () => {
  test.each<[string, (port: number) => Record<string, string>, number, string]>([
    ['the address of the link', () => ({}), 200, ''],
    ['localhost', (port) => ({ host: `localhost:${port}`, origin: `http://localhost:${port}` }), 200, ''],
    ['the IPv6 address', (port) => ({ host: `[::1]:${port}`, origin: `http://[::1]:${port}` }), 200, ''],
    ['another host', () => ({ host: 'evil.com' }), 421, 'REQUEST.HOST'],
    ['a name below localhost', (port) => ({ host: `localhost.evil.com:${port}` }), 421, 'REQUEST.HOST'],
    ['a name that points here', (port) => ({ host: `127.0.0.1.nip.io:${port}` }), 421, 'REQUEST.HOST'],
    ['any address', (port) => ({ host: `0.0.0.0:${port}` }), 421, 'REQUEST.HOST'],
    ['a mapped address', (port) => ({ host: `[::ffff:127.0.0.1]:${port}` }), 421, 'REQUEST.HOST'],
    ['another port', () => ({ host: '127.0.0.1:1' }), 421, 'REQUEST.HOST'],
    ['no port', () => ({ host: '127.0.0.1' }), 421, 'REQUEST.HOST'],
    ['an origin of nowhere', () => ({ origin: 'null' }), 403, 'REQUEST.ORIGIN'],
    ['an origin of another port', () => ({ origin: 'http://127.0.0.1:1' }), 403, 'REQUEST.ORIGIN'],
    [
      'an origin with another name',
      (port) => ({ origin: `http://localhost:${port}` }),
      403,
      'REQUEST.ORIGIN',
    ],
    ['an origin by https', (port) => ({ origin: `https://127.0.0.1:${port}` }), 403, 'REQUEST.ORIGIN'],
    ['another site', () => ({ 'sec-fetch-site': 'cross-site' }), 403, 'REQUEST.ORIGIN'],
    ['another port of this site', () => ({ 'sec-fetch-site': 'same-site' }), 403, 'REQUEST.ORIGIN'],
    ['a navigation to data', () => ({ 'sec-fetch-site': 'none' }), 403, 'REQUEST.ORIGIN'],
    ['no cookie', () => ({ cookie: '' }), 401, 'REQUEST.UNAUTHENTICATED'],
    ['a wrong cookie', (port) => ({ cookie: `deespec_session_${port}=x` }), 401, 'REQUEST.UNAUTHENTICATED'],
    ['the cookie alone', () => ({ 'x-deespec-token': '' }), 401, 'REQUEST.UNAUTHENTICATED'],
    ['a wrong token', () => ({ 'x-deespec-token': 'x'.repeat(43) }), 401, 'REQUEST.UNAUTHENTICATED'],
    [
      'a bearer where there is none',
      () => ({ cookie: '', authorization: 'Bearer x' }),
      401,
      'REQUEST.UNAUTHENTICATED',
    ],
  ])('answers %s as it has to, reads and events included', async (...[, change, status, code]) => {
    const headers = { ...browser.headers, ...change(server.port) };

    const read = await ask(server.port, '/api/session', { headers });
    const unknown = await ask(server.port, '/api/nothing', { headers });
    const events = status === 200 ? undefined : await ask(server.port, '/api/events', { headers });

    expect([read.status, read.json.code ?? '']).toEqual([status, code]);
    expect(unknown.status).toBe(status === 200 ? 404 : status);
    expect(events?.status).toBe(status === 200 ? undefined : status);
  });

  test.each([
    ['none', ''],
    ['two', 'host: 127.0.0.1:PORT\r\nHost: evil.com\r\n'],
    ['the same twice', 'host: 127.0.0.1:PORT\r\nhost: 127.0.0.1:PORT\r\n'],
  ])('refuses a request that names %s hosts', async (_name, hosts) => {
    const said = await raw(
      server.port,
      `GET /api/session HTTP/1.1\r\n${hosts.replaceAll('PORT', String(server.port))}connection: close\r\n\r\n`,
    );

    expect(said).toMatch(/^HTTP\/1\.1 421 /u);
  });

  test('takes no token from an address', async () => {
    const { cookie } = browser.headers;
    const token = browser.headers['x-deespec-token']!;

    const answer = await ask(server.port, `/api/session?x-deespec-token=${token}&token=${token}`, {
      headers: { cookie: cookie! },
    });

    expect(answer.status).toBe(401);
  });

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/jsonp', 415],
    ['', 415],
    ['application/json; charset=utf-8', 400],
  ])('takes a body of type "%s" with %i', async (type, status) => {
    const headers = { ...browser.headers, ...(type === '' ? {} : { 'content-type': type }) };

    const answer = await ask(server.port, '/api/jobs', {
      method: 'POST',
      headers,
      body: '{"kind":"nothing"}',
    });

    expect(answer.status).toBe(status);
  });

  test('takes a body only where there is one', async () => {
    const headers = { ...browser.headers, 'content-type': 'application/json' };

    const answer = await ask(server.port, '/api/jobs/0123456789abcdef/cancel', {
      method: 'POST',
      headers,
      body: '{}',
    });

    expect(answer.status).toBe(415);
  });

  test.each(['OPTIONS', 'HEAD', 'PUT', 'TRACE'])('does not know the method %s of a route', async (method) => {
    const answer = await ask(server.port, '/api/sbis', { method, headers: browser.headers });

    expect(answer.status).toBe(405);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers.allow).toBe('GET, POST');
  });

  test.each<[string, string, number]>([
    ['a limit too large', '/api/sbis?limit=1000000000', 400],
    ['a limit of a word', '/api/sbis?limit=ten', 400],
    ['a limit in another notation', '/api/sbis?limit=1e2', 400],
    ['a negative limit', '/api/sbis?limit=-1', 400],
    ['a key twice', '/api/sbis?status=DONE&status=WIP', 400],
    ['an unknown key', '/api/sbis?page=1', 400],
    ['an expression to sort by', '/api/sbis?sort=(CASE%20WHEN%201%20THEN%20id%20END)', 400],
    ['an order with more behind', '/api/sbis?order=asc;drop%20table%20sbi', 400],
    ['a key of the prototype', '/api/sbis?__proto__=x', 400],
    ['a column of the prototype', '/api/sbis?sort=__proto__', 400],
    ['another name of it', '/api/sbis?sort=constructor', 400],
    ['a query where there is none', '/api/session?x=1', 400],
    ['an id that is none', '/api/sbis/..%2f..%2fetc%2fpasswd', 400],
    ['an id with a NUL', '/api/sbis/SBI-%00', 400],
    ['a badly written address', '/api/sbis/%zz', 400],
    ['a path of dots', '/files/..%2f..%2fetc/passwd', 404],
    ['another path of dots', '/assets/..%2f..%2fpackage.json', 404],
    ['backslashes', '/assets/..%5c..%5cpackage.json', 404],
    ['a path encoded twice', '/assets/%252e%252e/package.json', 404],
    ['8 KiB of address', `/api/sbis?label=${'x'.repeat(8_192)}`, 413],
  ])('answers %s, and never with a failure', async (_name, path, status) => {
    const answer = await browser.get(path);

    expect([path.slice(0, 80), answer.status]).toEqual([path.slice(0, 80), status]);
    expect(answer.text).not.toContain('root:');
  });

  test('bounds bodies and headers', async () => {
    const large = { kind: 'backup-create', note: 'x'.repeat(1_100_000) };
    const body = await browser.send('POST', '/api/jobs', large);
    const headers = Array.from({ length: 1_000 }, (_, at) => `x-${at}: ${'y'.repeat(20)}\r\n`).join('');
    const many = await raw(
      server.port,
      `GET /api/session HTTP/1.1\r\nhost: ${authority()}\r\n${headers}\r\n`,
    );

    expect([body.status, body.json.code]).toEqual([413, 'REQUEST.TOO_LARGE']);
    expect(many).toMatch(/^HTTP\/1\.1 431 /u);
  });

  test.each<[string, string | Buffer]>([
    ['no JSON', '{"kind":'],
    ['no object', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['an unknown key', '{"kind":"verify","kinds":1}'],
    ['a prototype', '{"kind":"verify","__proto__":{"x":1}}'],
    ['another type', '{"kind":"verify","checkAll":"true"}'],
    ['null for what may be absent', '{"kind":"verify","checkAll":null}'],
    ['no UTF-8', Buffer.from('{"kind":"backup-create","note":"\xff"}', 'latin1')],
    ['a hundred thousand brackets', '['.repeat(100_000)],
  ])('refuses a body that is %s', async (_name, body) => {
    const headers = { ...browser.headers, 'content-type': 'application/json' };

    const answer = await ask(server.port, '/api/jobs', { method: 'POST', headers, body });

    expect([answer.status, answer.json.code]).toEqual([400, 'USAGE.INVALID']);
  });

  test('says to browsers that nothing of an answer runs, is shown elsewhere or is kept', async () => {
    const answers = [
      await browser.get('/api/status'),
      await ask(server.port, '/api/status'),
      await ask(server.port, '/'),
    ];

    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
    }
  });

  test('gives the page to everybody, with another nonce each time, and its files to its own pages', async () => {
    const [one, two] = [await ask(server.port, '/'), await ask(server.port, '/sbis')];
    const nonces = [one, two].map(
      ({ headers }) => /nonce-([^']+)'/u.exec(headers['content-security-policy'] as string)![1],
    );
    const foreign = await ask(server.port, '/', { headers: { 'sec-fetch-site': 'cross-site' } });

    expect([one.status, two.status, foreign.status]).toEqual([200, 200, 200]);
    expect(nonces[0]).not.toBe(nonces[1]);
    expect(one.text).not.toContain('__CSP_NONCE__');
    const file = /\/assets\/[\w.-]+\.js/u.exec(one.text)?.[0] ?? '/assets/none.js';
    const foreignFile = await ask(server.port, file, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(foreignFile.status).toBe(403);
  });

  test('slows down who asks too much', async () => {
    const { port, admin } = await start(fileHome(1));
    const other = await enter({ port, admin });

    const answers = await Promise.all(Array.from({ length: 400 }, () => other.get('/api/jobs')));

    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 429]);
  });
});

describe('The guard, for whoever has none', () => {
  test('lets nobody see anything of any route', async () => {
    const routes = routesOf().filter(({ access }) => access !== 'entry');

    for (const { method, path } of routes) {
      const answer = await ask(server.port, addressOf(path), { method });
      expect([method, path, answer.status, answer.json.code]).toEqual([
        method,
        path,
        401,
        'REQUEST.UNAUTHENTICATED',
      ]);
    }
    expect(routes.length).toBeGreaterThan(30);
  });

  test('opens a link once, for a minute, and a newer link ends an older one', async () => {
    let nowMs = Date.parse('2026-01-01T00:00:00Z');
    const started = await start(fileHome(1), { now: () => new Date(nowMs) });
    const { admin, port } = started;
    const open = async (token: string): Promise<number> =>
      (await ask(port, '/api/session', { method: 'POST', json: { token } })).status;
    const used = await enter(started);
    const [older, newer] = [tokenOf(admin.makeLink()), tokenOf(admin.makeLink())];

    expect(await open(used.linkToken)).toBe(401);
    expect(await open(older)).toBe(401);
    expect(await open('x'.repeat(43))).toBe(401);
    expect(await open('x')).toBe(400);
    expect(await open(newer)).toBe(200);
    const late = tokenOf(admin.makeLink());
    nowMs += 60_001;
    expect(await open(late)).toBe(401);
  });

  test('ends a session after half an hour without a request, and when its owner says so', async () => {
    let nowMs = Date.parse('2026-01-01T00:00:00Z');
    const started = await start(fileHome(1), { now: () => new Date(nowMs) });
    const [one, two] = [await enter(started), await enter(started)];

    nowMs += 1_700_000;
    expect((await one.get('/api/session')).status).toBe(200);
    nowMs += 1_700_000;
    expect((await one.get('/api/session')).status).toBe(200);
    expect((await two.get('/api/session')).status).toBe(401);
    expect((await one.send('DELETE', '/api/session')).status).toBe(204);
    expect((await one.get('/api/session')).status).toBe(401);
  });
});
