import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, jest, test } from '@jest/globals';
import { setMode, sync } from '@deespec/storage';
import { endServices, isAlive, start, statusOf, until, untilIn, willServe } from './services.js';
import {
  deespec,
  documentOf,
  homeIn,
  removeDirectories,
  runInProcess,
  sbiIds,
  startDeespec,
  temporaryDirectory,
  writeFiles,
} from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(120_000);
afterEach(endServices);
afterAll(removeDirectories);

const launcher = fileURLToPath(new URL('../bin/deespec.js', import.meta.url));
const socketOf = (home: string): string => join(home, '.storage/service.sock');
const logOf = (home: string) =>
  readFileSync(join(home, '.storage/log/service.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string; [name: string]: unknown });

/** What the control socket answers. */
async function ask(home: string, path: string, options: { method?: string; body?: string } = {}) {
  const { method = 'GET', body } = options;
  const asking = request({ socketPath: socketOf(home), path, method, agent: false });
  asking.end(body);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { code: response.statusCode, value: JSON.parse(text) as Record<string, unknown> };
}

describe('start', () => {
  test('runs a service that outlives its parent and SIGHUP, follows changes, and ends with stop', async () => {
    const home = await homeIn('sqlite');
    const sbi = sbiIds(home)[0]!;
    willServe(home);
    const shell = `"${process.execPath}" "${launcher}" start --home "${home}" --json; kill -HUP $$`;

    const parent = spawn('sh', ['-c', shell], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    let said = '';
    parent.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(parent, 'close');
    const { data } = JSON.parse(said) as { data: { service: { pid: number; isNew: boolean } } };
    const { pid, isNew } = data.service;
    process.kill(pid, 'SIGHUP');
    writeFileSync(join(home, `specs/sbi/${sbi}/note.md`), 'by hand\n');
    await until(async () => (await sync({ home, dryRun: true })).imported === 0);

    expect(isNew).toBe(true);
    expect(isAlive(pid)).toBe(true);
    expect(await statusOf(home)).toMatchObject({ service: { pid, state: 'watching' } });
    const stopped = await runInProcess(['stop', '--home', home, '--json']);
    expect(documentOf(stopped).data).toMatchObject({
      stopped: false,
      processes: [{ pid, outcome: 'ended' }],
    });
    await until(() => !isAlive(pid));
    expect(existsSync(socketOf(home))).toBe(false);
    expect(await statusOf(home)).toMatchObject({ processes: [] });
  });

  test('twice at once, and once more, gives one service', async () => {
    const home = await homeIn('dual_write');

    const runs = await Promise.all([start(home, '--json'), start(home, '--json')]);
    runs.push(await start(home, '--json'));

    const services = runs.map((run) => documentOf(run).data.service as { pid: number; isNew: boolean });
    expect(new Set(services.map(({ pid }) => pid)).size).toBe(1);
    expect(services.filter(({ isNew }) => isNew)).toHaveLength(1);
    const { processes } = await statusOf(home);
    expect(processes).toEqual([expect.objectContaining({ pid: services[0]!.pid, role: 'service' })]);
  });

  test('in mode file runs the service too, which follows a change of the mode', async () => {
    const home = await homeIn('file');

    const run = await start(home);
    const before = (await statusOf(home)).service!;
    await setMode({ home, mode: 'dual_write' });
    await untilIn(home, 'watching');
    await setMode({ home, mode: 'file' });
    await untilIn(home, 'waiting');

    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(/^the background service runs: pid \d+\n$/u),
    });
    expect(run.stdout.toString()).toContain('the mode stays file');
    expect(before.state).toBe('waiting');
    expect((await statusOf(home)).service?.pid).toBe(before.pid);
  });

  test('replaces what a service that was killed left', async () => {
    const home = await homeIn('file');
    const { pid } = documentOf(await start(home, '--json')).data.service as { pid: number };
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(pid));

    const health = documentOf(await runInProcess(['health', '--json', '--home', home]));
    const again = documentOf(await start(home, '--json'));

    const left = (health.data.checks as { name: string; value: string }[]).find(
      ({ name }) => name === 'leftovers',
    );
    expect(left?.value).toContain('the socket of a service that is gone');
    expect(again.data.service).toMatchObject({ isNew: true });
    expect(again.data.service.pid).not.toBe(pid);
  });

  test('refuses a schedule that is none, and says why a service cannot start', async () => {
    const home = await homeIn('file');
    const wrong = documentOf(await start(home, '--json', '--check-schedule', 'often'));
    writeFileSync(socketOf(home), 'no socket');

    const failed = documentOf(await start(home, '--json'));

    expect(wrong).toMatchObject({ exitCode: 64, error: { code: 'USAGE.INVALID' } });
    expect(failed).toMatchObject({ exitCode: 74, error: { code: 'SERVICE.FAILED' } });
    expect(failed.error?.message).toContain('service.sock is not what deespec made it');
    expect(readFileSync(socketOf(home), 'utf8')).toBe('no socket');
  });

  test('--foreground in mode sqlite keeps both stores in step until SIGTERM, then 143 with one document', async () => {
    const home = await homeIn('sqlite');
    const sbi = sbiIds(home)[0]!;
    const child = startDeespec(['start', '--foreground', '--home', home, '--json']);
    let shown = '';
    child.stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await until(() => shown.includes('sync: '));

    writeFileSync(join(home, `specs/sbi/${sbi}/note.md`), 'by hand\n');
    await until(() => shown.includes('1 into the database'));
    const second = await deespec(['start', '--foreground', '--home', home]);
    child.kill('SIGTERM');
    const { exitCode, stdout } = await child;

    const document = JSON.parse(Buffer.from(stdout).toString());
    expect(second.exitCode).toBe(75);
    expect(second.stderr).toContain('has a background service already');
    expect(exitCode).toBe(143);
    expect(document).toMatchObject({ command: 'start', exitCode: 143, error: { code: 'INTERRUPTED' } });
    expect(document.data).toMatchObject({ mode: { mode: 'sqlite' }, watch: { mode: 'sqlite', imported: 1 } });
  });
});

describe('The control socket', () => {
  test('is for its user alone, and answers three requests', async () => {
    const home = await homeIn('file');
    const { pid } = documentOf(await start(home, '--json')).data.service as { pid: number };

    const mode = statSync(socketOf(home)).mode & 0o777;
    const status = await ask(home, '/status');
    const health = await ask(home, '/health');
    const others = [
      await ask(home, '/none'),
      await ask(home, '/stop'),
      await ask(home, '/status', { method: 'POST' }),
      await ask(home, '/stop', { method: 'POST', body: 'x' }),
    ];

    expect(mode).toBe(0o600);
    expect(status).toMatchObject({
      code: 200,
      value: { pid, state: 'waiting', mode: 'file', lostLogLines: 0 },
    });
    expect(status.value['schedules']).toEqual([
      { name: 'backup', pattern: '0 3 * * *', next: expect.stringMatching(/^\d{4}-.*Z$/u) },
      { name: 'check', pattern: '30 4 * * *', next: expect.stringMatching(/^\d{4}-.*Z$/u) },
    ]);
    expect(health).toMatchObject({ code: 200, value: { home, mode: 'file' } });
    expect(others.map(({ code }) => code)).toEqual([404, 405, 405, 413]);
    expect((await ask(home, '/stop', { method: 'POST' })).code).toBe(202);
    await until(() => !isAlive(pid));
  });

  test('works below a path that is too long for a socket', async () => {
    const long = join(temporaryDirectory(), ...Array.from({ length: 12 }, (_, n) => `directory-number-${n}`));
    mkdirSync(long, { recursive: true });
    const home = join(long, '.deespec');
    renameSync(await homeIn('file'), home);

    const { service } = documentOf(await start(home, '--json')).data as { service: { pid: number } };

    expect(statSync(socketOf(home)).isSocket()).toBe(true);
    expect(await statusOf(home)).toMatchObject({ service: { pid: service.pid, state: 'waiting' } });
    expect((await runInProcess(['stop', '--home', home])).exitCode).toBe(0);
    expect(existsSync(socketOf(home))).toBe(false);
  });

  test('of somebody else that a tree links to is not spoken to', async () => {
    const home = await homeIn('file');
    const other = join(temporaryDirectory(), 'other.sock');
    let heard = 0;
    const server = createServer((socket) => void ((heard += 1), socket.end())).listen(other);
    await once(server, 'listening');
    mkdirSync(join(home, '.storage'), { recursive: true });
    symlinkSync(other, socketOf(home));

    const failed = documentOf(await start(home, '--json'));
    server.close();

    expect(failed).toMatchObject({ exitCode: 74, error: { code: 'SERVICE.FAILED' } });
    expect(heard).toBe(0);
  });
});

interface Schedule {
  readonly last?: { readonly ok: boolean };
}

describe('The service', () => {
  test('makes the scheduled backup and check, one at a time, shows them and logs them', async () => {
    const home = await homeIn('sqlite');
    await start(home, '--check-schedule', '* * * * * *', '--backup-schedule', '* * * * * *');

    const last = async () =>
      ((await ask(home, '/status')).value['schedules'] as Schedule[]).map((one) => one.last?.ok);
    await until(async () => !(await last()).includes(undefined));

    expect(await last()).toEqual([true, true]);
    expect(readdirSync(join(home, 'backups'))).toContainEqual(expect.stringMatching(/^backup_.*\.db$/u));
    expect(logOf(home)).toContainEqual(expect.objectContaining({ job: 'backup', ok: true }));
    expect(existsSync(join(home, '.storage/last-deep-check'))).toBe(true);
    expect(logOf(home)).toContainEqual(expect.objectContaining({ job: 'check', ok: true, level: 'info' }));
  });

  test('that cannot keep the stores in step says so, and goes on when it can', async () => {
    const home = await homeIn('dual_write');
    for (let n = 0; n < 60; n += 1) writeFiles(home, { [`many/f${n}`]: `${n}` });
    await sync({ home });
    await start(home);
    await untilIn(home, 'watching');

    rmSync(join(home, 'many'), { recursive: true });
    await untilIn(home, 'failing');
    const status = (await runInProcess(['status', '--home', home])).stdout.toString();
    const health = documentOf(await runInProcess(['health', '--json', '--home', home]));
    await sync({ home, allowDeletions: true });
    await untilIn(home, 'watching');

    expect(status).toMatch(/^service +process \d+ since .*, failing: .*\(SYNC\.MASS_DELETION\)$/mu);
    expect(health.data.checks).toContainEqual(
      expect.objectContaining({ name: 'service', status: 'warn', code: 'SYNC.MASS_DELETION' }),
    );
  });

  test('has a log for its user alone, with nothing of the tree in it', async () => {
    const home = await homeIn('dual_write');
    await start(home);
    await untilIn(home, 'watching');

    writeFileSync(join(home, 'specs/secret.md'), 'canary-of-the-content\n');
    await until(() => logOf(home).filter(({ msg }) => msg === 'a pass').length > 1);
    await runInProcess(['stop', '--home', home]);

    const file = join(home, '.storage/log/service.log');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('canary');
    expect(logOf(home).map(({ msg }) => msg)).toEqual(expect.arrayContaining(['begins', 'watching', 'ends']));
  });
});
