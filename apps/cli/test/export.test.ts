import { afterAll, describe, expect, test } from '@jest/globals';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { deespec, homeIn, removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

describe('export', () => {
  test('shows nothing before the disk has it', async () => {
    const [home, targets] = [await homeIn('file'), temporaryDirectory()];

    const run = await exported(home, targets, `sleep 1; ls -A "${targets}" > "${home}.seen"; exit 0`);

    expect(run.exitCode).toBe(0);
    expect(readFileSync(`${home}.seen`, 'utf8')).toMatch(/^\.deespec-export-\d+-\w{6}\n$/u);
    expect(readdirSync(targets)).toEqual(['tree']);
  });

  test('leaves nothing behind when the disk says no', async () => {
    const [home, targets] = [await homeIn('file'), temporaryDirectory()];

    const run = await exported(home, targets, 'exit 1');

    expect(run.exitCode).toBe(74);
    expect(run.stderr).toContain('FILE.OUTCOME_UNKNOWN');
    expect(readdirSync(targets)).toEqual([]);
  });
});

/** With `script` in place of coreutils' `sync`. */
function exported(home: string, targets: string, script: string) {
  const programs = temporaryDirectory();
  writeFileSync(join(programs, 'sync'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(programs, 'sync'), 0o755);
  const environment = { PATH: `${programs}:${process.env['PATH']}` };
  return deespec(['export', '--home', home, '--output', join(targets, 'tree')], { environment });
}
