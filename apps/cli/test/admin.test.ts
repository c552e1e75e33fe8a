import { afterAll, expect, test } from '@jest/globals';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { documentOf, homeIn, removeDirectories, startDeespec, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

/** Resolves with what standard error says once it matches. */
async function said(child: ReturnType<typeof startDeespec>, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of child.stderr as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (pattern.test(text)) return text;
  }
  throw new Error(`it ended with ${text}`);
}

test('admin prints a link that opens once, and ends cleanly with a signal', async () => {
  const home = await homeIn('file');
  const tokenFile = join(temporaryDirectory(), 'token');
  const child = startDeespec(['admin', '--read-only', '--token-file', tokenFile, '--json', '--home', home]);
  const [, base, token] = /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]{43})\n/u.exec(
    await said(child, /#token=.*\n/u),
  )!;
  const open = () =>
    fetch(`${base}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });

  const [first, second] = [await open(), await open()];
  const bearer = readFileSync(tokenFile, 'utf8').trim();
  const status = await fetch(`${base}/api/status`, { headers: { authorization: `Bearer ${bearer}` } });
  child.kill('SIGTERM');
  const { exitCode = -1, stdout } = await child;

  expect([first.status, second.status, status.status]).toEqual([200, 401, 200]);
  expect(await first.json()).toMatchObject({ readOnly: true });
  const document = documentOf({ exitCode, stdout: Buffer.from(stdout), stderr: '' });
  expect(document).toMatchObject({ exitCode: 143, data: { url: base }, error: { code: 'INTERRUPTED' } });
  expect(stdout.toString()).not.toContain(token);
});

test('admin --open hands the link to the browser in a page that others cannot read, and removes it', async () => {
  const place = temporaryDirectory();
  const temporary = join(place, 'tmp');
  mkdirSync(temporary);
  const opener = '#!/bin/sh\nprintf "%s\\n" "$1" > "$OPENED"\n';
  writeFileSync(join(place, 'xdg-open'), opener, { mode: 0o755 });
  const opened = join(place, 'opened');
  const child = startDeespec(['admin', '--open', '--home', await homeIn('file')], {
    environment: { PATH: `${place}:${process.env['PATH']}`, TMPDIR: temporary, OPENED: opened },
  });
  const link = /(http:\S+#token=\S+)\n/u.exec(await said(child, /#token=.*\n/u))![1]!;
  while (readdirSync(place).every((name) => name !== 'opened') || readFileSync(opened, 'utf8') === '')
    await new Promise((resolve) => setTimeout(resolve, 20));

  const page = new URL(readFileSync(opened, 'utf8').trim());
  expect(page.href).not.toContain('token');
  expect(readFileSync(page, 'utf8')).toContain(link);
  expect(lstatSync(page).mode & 0o077).toBe(0);
  child.kill('SIGINT');
  expect((await child).exitCode).toBe(130);
  expect(readdirSync(temporary)).toEqual([]);
});
