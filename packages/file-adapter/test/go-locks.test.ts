import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { readGoLocks } from '../src/index.js';
import { plant, temporary } from './support.js';

function locksOf(files: Readonly<Record<string, string>>) {
  const { directory, remove } = temporary();
  plant(directory, files);
  try {
    return readGoLocks(directory);
  } finally {
    remove();
  }
}

describe('readGoLocks', () => {
  test('finds none in a tree without them', () => {
    expect(locksOf({})).toEqual({ stateLock: false, runLock: undefined });
    expect(locksOf({ var: 'a file' })).toEqual({ stateLock: false, runLock: undefined });
  });

  test('reads the lease', () => {
    const lease = {
      pid: 42,
      acquired_at: '2026-01-02T03:04:05.1+09:00',
      expires_at: '2026-01-02T03:14:05Z',
      hostname: 'h',
    };

    expect(locksOf({ 'var/state.lock': '', 'var/runlock': JSON.stringify(lease) })).toEqual({
      stateLock: true,
      runLock: { pid: 42, acquiredAt: lease.acquired_at, expiresAt: lease.expires_at, hostname: 'h' },
    });
  });

  test.each([
    '',
    '{"pid":',
    'null',
    '[]',
    '"x"',
    '\xff',
    '{"pid":"7","hostname":null,"__proto__":{"pid":1}}',
  ])('takes a run lock with content %j as present', (content) => {
    expect(locksOf({ 'var/runlock': content })).toEqual({ stateLock: false, runLock: {} });
  });

  test('takes locks of any kind as present', () => {
    const { directory, remove } = temporary();
    plant(directory, { 'var/state.lock/held': 'x', 'var/runlock/x': 'y' });
    expect(readGoLocks(directory)).toEqual({ stateLock: true, runLock: {} });
    fs.rmSync(join(directory, 'var/runlock'), { recursive: true });
    fs.symlinkSync('nowhere', join(directory, 'var/runlock'));
    expect(readGoLocks(directory)).toEqual({ stateLock: true, runLock: {} });
    remove();
  });
});
