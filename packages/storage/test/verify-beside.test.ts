import type { StorageMode } from '@deespec/domain';
import { openHandle } from '@deespec/sqlite-adapter';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateTree } from '@deespec/trees';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, setMode, verify, type VerifyReport } from '../src/index.js';
import { createElsewhere, migratedTree, newHome, put, removeDirectories } from './support.js';

afterAll(removeDirectories);

describe.each(['dual_write', 'sqlite'] as const)('Verification beside services, mode %s', (mode) => {
  let home: string;

  beforeEach(async () => {
    home = await treeIn(mode);
  });

  test.each([false, true])('what they change meanwhile is no difference, checkAll %s', async (checkAll) => {
    const report = await verifyBeside(checkAll);

    expect(report).toMatchObject({ ok: true, differences: [], evidence: 'recorded' });
    expect(report.changedMeanwhile).toBeGreaterThan(2);
    const after = await verify({ home, checkAll });
    expect(after).toMatchObject({ ok: true, changedMeanwhile: 0, equation: { holds: true } });
  });

  test('what others changed in the files is one, and so is what only the database has', async () => {
    appendFileSync(put(home, 'knowledge/by-hand.md', '# '), 'By hand');
    rmSync(join(home, 'workflow.json'));
    const report = await verifyBeside(true);

    expect(report.ok).toBe(false);
    expect(report.changedMeanwhile).toBeGreaterThan(2);
    expect(report.differences).toEqual([
      expect.objectContaining({ what: 'missing-in-database', where: 'knowledge/by-hand.md' }),
      expect.objectContaining({ what: 'missing-in-tree', where: 'workflow.json' }),
    ]);
    expect(report.differenceCount).toBe(2);
  });

  /** A service makes an SBI after the database was looked at, before the files are. */
  async function verifyBeside(checkAll: boolean): Promise<VerifyReport> {
    let calls = 0;
    const onProgress = (): void => {
      calls += 1;
      if (calls === 2) createElsewhere(home);
    };
    return verify({ home, checkAll, onProgress });
  }
});

describe('Verification beside services', () => {
  test('looks at all rows at one moment, while SBIs are made all the time', async () => {
    const home = newHome();
    generateTree(home, { layout: 'mixed', sbis: 300, seed: 1 });
    await migrate({ home });
    await setMode({ home, mode: 'sqlite' });
    const service = spawn(process.execPath, ['--input-type=module', '--eval', makeMany, home], {
      cwd: join(import.meta.dirname, '..'),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await once(service.stdout, 'data');
      const report = await verify({ home, checkAll: true });

      expect(report).toMatchObject({ ok: true, differences: [] });
    } finally {
      service.stdin.end();
      await once(service, 'exit');
    }
  });

  test('the result is recorded although somebody writes when it is there', async () => {
    const home = await treeIn('sqlite');
    const handle = openHandle(join(home, 'deespec.db'), 'write');
    handle.exec('BEGIN IMMEDIATE');
    setTimeout(() => handle.exec('ROLLBACK').close(), 1_500);

    expect(await verify({ home })).toMatchObject({ ok: true, evidence: 'recorded' });
    expect(handle.open).toBe(false);
  });

  test('ends when it is interrupted while it looks again', async () => {
    const home = await treeIn('sqlite');
    put(home, 'knowledge/by-hand.md', '# By hand');
    const control = new AbortController();
    setTimeout(() => control.abort(), 400);

    await expect(verify({ home, signal: control.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

async function treeIn(mode: StorageMode): Promise<string> {
  const home = await migratedTree();
  await setMode({ home, mode });
  return home;
}

/** A program that makes SBIs until its input ends. */
const makeMany = `
  const { openStorage } = await import('./dist/index.js');
  const storage = await openStorage({ home: process.argv[1], user: 'other' });
  let isOver = false;
  process.stdin.resume().once('end', () => { isOver = true; });
  for (let made = 1; !isOver; made += 1) {
    await storage.createSbi({ title: 'Beside a verification ' + made, spec: '# x' });
    if (made === 3) console.log('at work');
  }
  await storage.close();`;
