import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { digestDisk } from '../src/disk-digest.js';
import type { DiskEntry } from '../src/disk-entry.js';
import { DiskProcess } from '../src/disk-process.js';
import { Pace } from '../src/pace.js';
import { TreeScan } from '../src/tree-scan.js';
import { awkwardTree, put, temporaryDirectory } from './support.js';

const MIB = 1_048_576;

describe('DiskProcess', () => {
  test('meets what a scan in this process meets', async () => {
    const home = awkwardTree();
    putMany(home);
    const [here, apart]: DiskEntry[][] = [[], []];

    const pace = new Pace({});
    const expected = await digestDisk(new TreeScan(home, pace), pace, {
      onEntry: (entry) => here!.push(entry),
    });
    const whole = await scanApart(home, { onEntry: (entry) => apart!.push(entry) });

    expect(apart!.map(plain)).toEqual(here!.map(plain));
    expect(whole).toEqual(expected);
  });

  test('meets the error that a scan in this process meets', async () => {
    const home = temporaryDirectory();
    execFileSync('mkfifo', [join(home, 'pipe')]);

    await expect(scanApart(home)).rejects.toMatchObject({
      code: 'FILE.SPECIAL',
      hint: 'a FIFO, socket or device cannot be kept: move it out of the tree',
      details: { path: 'pipe' },
    });
  });

  test('is an error when it is killed', async () => {
    const home = temporaryDirectory();
    putMany(home);

    const onEntry = (): void => running().forEach((pid) => process.kill(pid, 'SIGKILL'));
    await expect(scanApart(home, { onEntry })).rejects.toMatchObject({
      code: 'FILE.READ_FAILED',
      message: expect.stringContaining('ended early (SIGKILL)'),
    });
  });

  test('is interrupted in the midst of a large file, and gone then', async () => {
    const home = temporaryDirectory();
    put(home, 'large', '');
    truncateSync(join(home, 'large'), 2_000 * MIB);
    const control = new AbortController();
    const reports: number[] = [];
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => {
      reports.push(doneBytes);
      if (doneBytes > 0) control.abort();
    };

    const pace = new Pace({ signal: control.signal, onProgress });
    await expect(scanApart(home, { pace })).rejects.toMatchObject({ code: 'INTERRUPTED' });

    expect(reports.at(-1)).toBeGreaterThan(0);
    expect(reports.at(-1)).toBeLessThan(2_000 * MIB);
    expect(running()).toEqual([]);
  });

  test('reads here where no process can be started', () => {
    const home = awkwardTree();
    const count = `
      process.execPath = '/nowhere/node';
      const [{ DiskProcess }, { Pace }, { TreeScan }] =
        await Promise.all(['disk-process', 'pace', 'tree-scan'].map((name) => import('../dist/' + name + '.js')));
      const [pace, home] = [new Pace({}), process.argv[1]];
      let entries = 0;
      await new DiskProcess(home, new TreeScan(home, pace), pace).run({ onEntry: () => { entries += 1; } });
      console.log(entries);`;

    const cwd = import.meta.dirname;
    const args = ['--input-type=module', '--eval', count, home];
    const output = execFileSync(process.execPath, args, { cwd, encoding: 'utf8' });

    expect(Number(output)).toBeGreaterThan(50);
  });
});

interface Scanning {
  readonly onEntry?: (entry: DiskEntry) => unknown;
  readonly pace?: Pace;
}

async function scanApart(home: string, { onEntry = () => undefined, pace = new Pace({}) }: Scanning = {}) {
  const apart = new DiskProcess(home, new TreeScan(home, pace), pace);
  try {
    return await apart.run({ onEntry });
  } finally {
    apart.close();
    await sleep(50);
  }
}

/** More than are sent at once. */
function putMany(home: string): void {
  for (let file = 0; file < 2_000; file += 1) put(home, `many/${file}`, `${file}`);
}

/** Bytes are bytes, of whichever class. */
function plain(entry: DiskEntry) {
  return { ...entry, target: Buffer.from(entry.target).toString('latin1') };
}

/** Processes of the program that this one started. */
function running(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/u.test(name));
  return pids.filter((pid) => isOurs(pid)).map(Number);
}

function isOurs(pid: string): boolean {
  try {
    const parent = /^PPid:\t(\d+)$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return Number(parent) === process.pid && command.includes('disk-process-main');
  } catch {
    // It ended meanwhile.
    return false;
  }
}
