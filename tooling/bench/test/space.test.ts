import { tmpdir } from 'node:os';

import { expect, test } from '@jest/globals';

import { parseOptions } from '../src/options.js';
import { requireSpace } from '../src/space.js';

test('refuses a run that cannot end for want of disk, and no other', () => {
  expect(() => requireSpace(tmpdir(), parseOptions(['--backup-mb', '9999999']))).toThrow(
    /^it needs about 4\d{4}\.\d GiB, and \S+ has \d+\.\d GiB: set TMPDIR/u,
  );
  expect(() => requireSpace(tmpdir(), parseOptions(['--curve', '100,9999999']))).toThrow('GiB');
  expect(() =>
    requireSpace(tmpdir(), parseOptions(['--sbis', '1', '--backup-mb', '1', '--items', '1'])),
  ).not.toThrow();
});
