import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  ask,
  cleanUp,
  enter,
  homeIn,
  jobEnd,
  removeTemplates,
  routesOf,
  addressOf,
  start,
  temporaryDirectory,
} from './support.js';

jest.setTimeout(60_000);

afterEach(cleanUp);
afterAll(removeTemplates);

const CANARY = 'canary-7d1f0b';

/** Contents of all files below a directory, as text. */
function everythingIn(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

test('secrets are in no answer but the first, in no log, no file and no process list', async () => {
  const home = await homeIn('sqlite');
  const tokenFile = join(temporaryDirectory(), 'token');
  const server = await start(home, { tokenFile });
  const browser = await enter(server);
  const secrets = [
    browser.linkToken,
    browser.headers['x-deespec-token']!,
    browser.headers['cookie']!.split('=')[1]!,
    readFileSync(tokenFile, 'utf8').trim(),
  ];
  const texts: string[] = [];
  for (const { method, path, type } of routesOf()) {
    if (type === 'text/event-stream' || path === '/api/session') continue;
    const answer = await browser.send(
      method,
      addressOf(path),
      method === 'GET' ? undefined : { secret: CANARY, token: CANARY },
    );
    texts.push(answer.text, JSON.stringify(answer.headers));
  }
  texts.push((await ask(server.port, `/api/session?token=${secrets[0]}`)).text);
  const { json: job } = await browser.send('POST', '/api/jobs', { kind: 'verify' });
  const ended = await jobEnd(browser, job.id);
  const processes = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;

  const everywhere = [...texts, JSON.stringify(ended), ...server.said, processes, everythingIn(home)].join(
    '\n',
  );
  expect([...secrets, CANARY].filter((secret) => everywhere.includes(secret))).toEqual([]);
});

test('errors name no path of this machine and have no stack', async () => {
  const home = await homeIn('file');
  const browser = await enter(await start(home));

  const answers = [
    await browser.get('/api/findings?x=1'),
    await browser.get('/api/sbis/SBI-01M810CC01J2AAPQZVYRK1YMJR'),
    await browser.get('/api/conflicts/none'),
    await browser.get('/api/jobs/0123456789abcdef'),
    await browser.send('POST', '/api/jobs', {
      kind: 'restore',
      backupId: 'backup_20260101_000000_000001',
      confirm: 'proj',
    }),
  ];
  const job = await jobEnd(browser, answers.at(-1)!.json.id);

  for (const { status, text } of answers.slice(0, -1)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain(home);
    expect(text).not.toMatch(/node_modules|\.js:\d|\bat [A-Z]\w+\./u);
  }
  expect(job).toMatchObject({ state: 'failed', error: { code: 'BACKUP.NOT_FOUND' } });
  expect(JSON.stringify(job)).not.toContain(home);
});

/** Asks for an address as another account, with the means of any program. */
const asker = `
  const [, url, token] = process.argv;
  const headers = token === undefined ? {} : { 'content-type': 'application/json' };
  const init = token === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify({ token }) };
  fetch(url, init).then(async (r) => process.stdout.write(r.status + ' ' + (await r.text())));
`;

const isRoot = process.getuid?.() === 0;

(isRoot ? test : test.skip)(
  'another account of this machine gets nothing (skipped unless run as root)',
  async () => {
    const home = await homeIn('sqlite');
    const tokenFile = join(temporaryDirectory(), 'token');
    const server = await start(home, { tokenFile });
    const browser = await enter(server);
    const place = temporaryDirectory();
    chmodSync(place, 0o755);
    const asOther = (command: readonly string[]) =>
      spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...command], {
        encoding: 'utf8',
        cwd: place,
        timeout: 30_000,
      });
    const from = (path: string, token?: string) => {
      // Waits in another thread than the server's: the server is in this process.
      return new Promise<string>((resolve) => {
        void import('node:child_process').then(({ execFile }) =>
          execFile(
            'setpriv',
            [
              '--reuid=65534',
              '--regid=65534',
              '--clear-groups',
              process.execPath,
              '-e',
              asker,
              `http://127.0.0.1:${server.port}${path}`,
              ...(token === undefined ? [] : [token]),
            ],
            { cwd: place },
            (_error, stdout) => resolve(stdout),
          ),
        );
      });
    };

    const answers = [
      await from('/api/status'),
      await from('/api/sbis'),
      await from('/metrics'),
      await from('/healthz'),
      await from('/api/session', browser.linkToken),
    ];

    expect(answers.map((answer) => answer.slice(0, 3))).toEqual(['401', '401', '401', '401', '401']);
    expect(asOther(['cat', tokenFile]).status).not.toBe(0);
    expect((await from('/')).slice(0, 3)).toBe('200');
  },
);
