import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { generateTree } from '@deespec/trees';

import { baselines, cases, type Place } from './cases.js';
import { measure, type Command, type Sample } from './measure.js';

/** What moves, compares and proves whole trees. */
const names = ['migrate', 'migrate, unchanged tree', 'verify --check-all', 'export'] as const;

/** What reading and copying the files takes. */
const bare = ['sha256sum', 'cp -r'] as const;

/** Figures of one size. */
export interface CurvePoint {
  readonly sbis: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
  /** By command, baselines among them. */
  readonly samples: ReadonlyMap<string, Sample>;
}

/** What {@link runCurve} works with. */
export interface CurveOptions {
  /** Exists and is empty. `bytesNeeded` says how much disk it takes. */
  readonly directory: string;
  readonly sizes: readonly number[];
  readonly onStep: (title: string) => void;
  readonly signal?: AbortSignal;
}

/** Times the commands that read or write a whole tree, once for each size. @throws Error when one fails */
export async function runCurve({ directory, sizes, onStep, signal }: CurveOptions): Promise<CurvePoint[]> {
  const points: CurvePoint[] = [];
  for (const sbis of sizes) {
    const scratch = join(directory, String(sbis));
    mkdirSync(scratch);
    onStep(`generate ${sbis} SBIs in ${scratch}`);
    const place: Place = { home: join(scratch, '.deespec'), scratch, sbiId: '' };
    const { files, bytes } = generateTree(place.home, { layout: 'mixed', sbis, seed: 1 });
    // Once unmeasured, so that the page cache is warm as far as it can be.
    await measure(baselines.sha256sum(place, 0), signal);
    const samples = new Map<string, Sample>();
    const time = async (name: string, command: Command): Promise<void> => {
      const sample = await measure(command, signal);
      samples.set(name, sample);
      onStep(`  ${name}: ${Math.round(sample.wallMs)} ms`);
    };
    for (const name of bare) await time(name, baselines[name](place, 0));
    for (const { name, command } of cases) if (isWhole(name)) await time(name, command(place, 0));
    points.push({ sbis, files, bytes, samples });
    rmSync(scratch, { recursive: true, maxRetries: 10 });
  }
  return points;
}

function isWhole(name: string): boolean {
  return (names as readonly string[]).includes(name);
}

/** The figures as Markdown: a table, and a chart of what 1,000 SBIs take at each size. */
export function renderCurve(points: readonly CurvePoint[]): string {
  const rows = [...bare, ...names].map((name) => {
    const cells = points.map(({ samples }) => cellOf(samples.get(name)!));
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  const sizes = points.map(({ sbis, files, bytes }) => {
    return `${format(sbis)} SBIs, ${format(files)} files, ${format(Math.round(bytes / 1e6))} MB`;
  });
  const lines = names.map(
    (name) => `  line [${points.map((point) => secondsFor1000(point, name)).join(', ')}]`,
  );
  return [
    `| | ${sizes.join(' | ')} |`,
    `|---|${points.map(() => '---|').join('')}`,
    ...rows,
    '',
    '```mermaid',
    'xychart-beta',
    `  title "Seconds for 1,000 SBIs, from above: ${chartOrder(points).join('; ')}"`,
    `  x-axis "SBIs" [${points.map(({ sbis }) => `"${format(sbis)}"`).join(', ')}]`,
    '  y-axis "seconds" 0 --> ' +
      String(
        Math.ceil(Math.max(...points.flatMap((point) => names.map((name) => secondsFor1000(point, name))))),
      ),
    ...lines,
    '```',
    '',
  ].join('\n');
}

function cellOf({ wallMs, peakBytes }: Sample): string {
  const memory = peakBytes === undefined ? '' : `, ${Math.round(peakBytes / 1_048_576)} MiB`;
  return `${(wallMs / 1000).toFixed(1)} s${memory}`;
}

/** The commands in the order of their lines at the largest size. */
function chartOrder(points: readonly CurvePoint[]): string[] {
  const last = points.at(-1)!;
  return names.toSorted((a, b) => secondsFor1000(last, b) - secondsFor1000(last, a));
}

function secondsFor1000({ sbis, samples }: CurvePoint, name: string): number {
  return Number((samples.get(name)!.wallMs / sbis).toFixed(2));
}

function format(count: number): string {
  return count.toLocaleString('en-US');
}
