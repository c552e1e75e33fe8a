import { digest } from '@deespec/storage';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { chmodSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  addressOf,
  ask,
  cleanUp,
  enter,
  homeIn,
  removeTemplates,
  routesOf,
  start,
  temporaryDirectory,
} from './support.js';

afterEach(cleanUp);
afterAll(removeTemplates);

test('with --read-only every route that changes something is refused, and nothing is changed by any other', async () => {
  const home = await homeIn('sqlite');
  const before = (await digest({ directory: home })).digest;
  const server = await start(home, { readOnly: true });
  const browser = await enter(server);
  const routes = routesOf();

  for (const { method, path } of routes.filter(({ access }) => access === 'write')) {
    const answer = await browser.send(method, addressOf(path), {});
    expect([method, path, answer.status, answer.json.code]).toEqual([method, path, 403, 'REQUEST.READ_ONLY']);
  }
  const statuses = new Map<string, number>();
  for (const { method, path, type } of routes.filter(({ access }) => access === 'read')) {
    if (type === 'text/event-stream') continue;
    const query = path === '/api/sbi-export' ? '?format=csv' : '';
    statuses.set(`${method} ${path}`, (await browser.send(method, addressOf(path) + query)).status);
  }

  expect(routes.filter(({ access }) => access === 'write').length).toBeGreaterThan(6);
  expect([...statuses].filter(([, status]) => ![200, 400, 404].includes(status))).toEqual([]);
  expect([...statuses].filter(([, status]) => status === 200).length).toBeGreaterThan(15);
  expect((await browser.get('/api/session')).json.readOnly).toBe(true);
  expect((await digest({ directory: home })).digest).toBe(before);
});

test('a service comes in with the token of the file, from no page, and only to this server', async () => {
  const tokenFile = join(temporaryDirectory(), 'token');
  const { port } = await start(await homeIn('file'), { tokenFile });
  const token = readFileSync(tokenFile, 'utf8').trim();
  const authorization = `Bearer ${token}`;
  const statusOf = async (headers: Record<string, string>): Promise<number> =>
    (await ask(port, '/api/status', { headers })).status;

  expect(token).toMatch(/^[\w-]{43}$/u);
  expect(lstatSync(tokenFile).mode & 0o777).toBe(0o600);
  expect(await statusOf({ authorization })).toBe(200);
  expect(await statusOf({ authorization: `Bearer ${token.slice(1)}x` })).toBe(401);
  expect(await statusOf({ authorization: `Basic ${token}` })).toBe(401);
  expect(await statusOf({ authorization, host: 'evil.com' })).toBe(421);
  expect(await statusOf({ authorization, origin: 'http://evil.com' })).toBe(403);
  const again = await start(await homeIn('file'), { tokenFile });
  expect((await ask(again.port, '/metrics', { headers: { authorization } })).text).toContain(
    'deespec_health_status',
  );
  expect((await ask(again.port, '/healthz', { headers: { authorization } })).json.status).toMatch(
    /^(ok|warn)$/u,
  );
});

test.each<[string, (path: string) => void]>([
  ['everybody can read', (path) => chmodSync(path, 0o644)],
  ['is a link', (path) => symlinkSync('token-of-others', path)],
  ['holds no token', (path) => writeFileSync(path, 'short\n')],
])('a token file that %s is refused before anything is served', async (_name, spoil) => {
  const tokenFile = join(temporaryDirectory(), 'token');
  if (_name !== 'is a link') writeFileSync(tokenFile, `${'x'.repeat(43)}\n`, { mode: 0o600 });
  spoil(tokenFile);

  const refusal = await start(await homeIn('file'), { tokenFile }).catch((error: unknown) => error);

  expect(refusal).toMatchObject({ code: 'ADMIN.TOKEN_UNSAFE' });
});

test('a port that is taken is refused', async () => {
  const { port } = await start(await homeIn('file'));

  const refusal = await start(await homeIn('file'), { port }).catch((error: unknown) => error);

  expect(refusal).toMatchObject({ code: 'ADMIN.PORT_TAKEN' });
});
