import { describe, expect, test } from '@jest/globals';

import { loadScripts, planUp } from '../src/index.js';

const file = (name: string, text = 'SELECT 1;') => ({ name, text });
const pair = (name: string) => [file(`${name}.up.sql`), file(`${name}.down.sql`)];

describe('loadScripts', () => {
  test('orders versions by number and hashes the up script', () => {
    const scripts = loadScripts([...pair('002_b'), ...pair('001_a')]);

    expect(scripts.map(({ version, name }) => [version, name])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(scripts[0]!.checksum).toBe('17db4fd369edb9244b9f91d9aeed145c3d04ad8ba6e95d06247f07a63527d11a');
  });

  test.each([
    ['a gap', [...pair('001_a'), ...pair('003_c')], 'version 2 is missing'],
    ['a missing down', [file('001_a.up.sql')], 'needs an up and a down'],
    ['two names', [file('001_a.up.sql'), file('001_b.down.sql')], 'two names'],
    ['a stray file', [file('notes.txt')], 'notes.txt'],
  ])('refuses %s before anything runs', (_, files, message) => {
    expect(() => loadScripts(files)).toThrow(
      expect.objectContaining({ code: 'MIGRATION.MALFORMED', message: expect.stringContaining(message) }),
    );
  });
});

describe('planUp', () => {
  const scripts = loadScripts([...pair('001_a'), ...pair('002_b')]);
  const applied = scripts.map(({ version, name, checksum }) => ({
    version,
    appliedAt: '',
    description: name,
    checksum,
  }));

  test('lists what is still to apply', () => {
    expect(planUp(scripts, applied.slice(0, 1)).map(({ version }) => version)).toEqual([2]);
    expect(planUp(scripts, applied)).toEqual([]);
  });

  test('tells a newer database, an edited script and a missing record apart', () => {
    const newer = { ...applied[1]!, version: 3 };

    expect(() => planUp(scripts, [...applied, newer])).toThrow(
      expect.objectContaining({ code: 'DATABASE.NEWER' }),
    );
    expect(() => planUp(scripts, [{ ...applied[0]!, checksum: 'x' }])).toThrow(
      expect.objectContaining({ code: 'MIGRATION.CHECKSUM_MISMATCH' }),
    );
    expect(() => planUp(scripts, [applied[1]!])).toThrow(
      expect.objectContaining({ code: 'MIGRATION.MISSING' }),
    );
  });
});
