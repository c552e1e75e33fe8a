import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { formatMetrics, readHealth, type HealthReport } from '../src/index.js';
import { treeIn } from './health-support.js';
import { corrupt, put, removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE =
  /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,(?=.)|(?=\})))*)\})? (NaN|[+-]Inf|[-+\d.e]+)$/u;

/** Reads the text format as strictly as its grammar is; fails on a line that is none. Source: prometheus.io, "Exposition formats". */
function parse(text: string): Sample[] {
  expect(text.endsWith('\n')).toBe(true);
  const typed = new Set<string>();
  return text
    .slice(0, -1)
    .split('\n')
    .flatMap((line) => {
      const [, kind, family] = /^# (HELP|TYPE) (\S+) \S.*$/u.exec(line) ?? [];
      if (kind === 'TYPE') typed.add(family!);
      if (kind !== undefined) return [];
      const [, name, labels = '', value] = LINE.exec(line) ?? [];
      if (name === undefined || !typed.has(name)) throw new Error(`no sample: ${JSON.stringify(line)}`);
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gu)];
      return [
        {
          name,
          labels: Object.fromEntries(pairs.map(([, label, text]) => [label!, unescape(text!)])),
          value: Number(value!.replace('Inf', 'Infinity')),
        },
      ];
    });
}

const unescape = (text: string): string => text.replace(/\\(.)/gu, (_, c) => (c === 'n' ? '\n' : String(c)));

const valueOf = (samples: readonly Sample[], name: string): number | undefined =>
  samples.find((sample) => sample.name === name)?.value;

describe('Metrics', () => {
  test('have every number, and NaN for one that is not known', async () => {
    const home = await treeIn('sqlite');
    corrupt(
      home,
      `INSERT INTO outbox (path, seq, rev, since, tries) VALUES (CAST('specs' AS BLOB), 0, 9, '2026-01-01T00:00:00.000000000Z', 0)`,
    );

    const samples = parse(formatMetrics(await readHealth({ home })));

    expect(valueOf(samples, 'deespec_debt_rows')).toBe(1);
    expect(valueOf(samples, 'deespec_conflicts')).toBe(0);
    expect(valueOf(samples, 'deespec_wal_bytes')).toBe(0);
    expect(valueOf(samples, 'deespec_last_verified_backup_seconds')).toBeNaN();
    expect(valueOf(samples, 'deespec_last_deep_check_seconds')).toBeNaN();
    expect(Math.abs(valueOf(samples, 'deespec_last_verification_seconds')! - Date.now() / 1000)).toBeLessThan(
      600,
    );
    expect(samples.find(({ labels }) => labels['check'] === 'debt')?.value).toBe(1);
    expect(samples.filter(({ name, value }) => name === 'deespec_mode_info' && value === 1)).toMatchObject([
      { labels: { mode: 'sqlite', home } },
    ]);
    expect(samples.every(({ labels }) => labels['home'] === home)).toBe(true);
  });

  test('of a tree with a hostile name keep the format and drive no terminal', async () => {
    const home = join(temporaryDirectory(), 'a"b\\c\nd{e="f"} 1\u001b[2J\u202e', '.deespec');
    mkdirSync(home, { recursive: true });
    put(home, 'setting.json', '{}');

    const text = formatMetrics(await readHealth({ home }));

    // eslint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
    const names = new Set(parse(text).map(({ labels }) => labels['home']));
    expect([...names]).toEqual([
      `${home.split('/a"')[0]!}/a"b\\\\c\\x0ad{e="f"} 1\\x1b[2J\\u{202e}/.deespec`,
    ]);
  });

  test('of half a character, of infinity and without a tree are valid too', () => {
    const report: HealthReport = {
      home: '/half \ud800',
      version: '1',
      at: '2026-01-01T00:00:00.000000000Z',
      status: 'ok',
      levels: {},
      checks: [],
      numbers: { debt_oldest_seconds: Infinity, disk_free_bytes: 1e21 },
    };

    const samples = parse(formatMetrics(report));
    const { home: _, ...nowhere } = report;

    expect(valueOf(samples, 'deespec_debt_oldest_seconds')).toBe(Infinity);
    expect(valueOf(samples, 'deespec_disk_free_bytes')).toBe(1e21);
    expect(parse(formatMetrics(nowhere)).every(({ labels }) => !('home' in labels))).toBe(true);
  });
});
