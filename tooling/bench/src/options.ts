import { parseArgs } from 'node:util';

export const usage = `usage: npm run bench -- [options]

  --sbis <n>        size of the tree (default 4000: about 22,000 files, 65 MB)
  --backup-mb <n>   size of the database that is backed up and restored, MiB (default 256)
  --items <n>       items of the database whose lists are timed (default 100000)
  --full            the sizes of the budgets: 20000 SBIs (about 113,000 files, 350 MB), 10240 MiB, 1000000 items
  --curve <n,...>   instead of all else: the commands over whole trees once at each of these sizes, for example 2000,20000,200000
  --runs <n>        rounds; medians are taken over them (default 3)
  --output <file>   also write the figures as JSON
  --save            keep the ratios, as what later runs are compared with
  --check           exit with 2 when a ratio grew by more than 20 % since they were kept
  --keep            keep the directory it worked in

example: npm run bench -- --sbis 2000 --runs 1 --output bench.json
`;

export interface Options {
  readonly sbis: number;
  readonly runs: number;
  /** Bytes. */
  readonly backupBytes: number;
  readonly items: number;
  /** Sizes, SBIs; `undefined` for the benchmark proper. */
  readonly curve: readonly number[] | undefined;
  readonly output: string | undefined;
  readonly save: boolean;
  readonly check: boolean;
  readonly keep: boolean;
}

/** The options on the command line. @throws Error that says what is wrong with them */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sbis: { type: 'string' },
      runs: { type: 'string', default: '3' },
      'backup-mb': { type: 'string' },
      items: { type: 'string' },
      curve: { type: 'string' },
      full: { type: 'boolean', default: false },
      output: { type: 'string' },
      save: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const sizes = values.full
    ? { sbis: '20000', mib: '10240', items: '1000000' }
    : { sbis: '4000', mib: '256', items: '100000' };
  return {
    sbis: parseCount('--sbis', values.sbis ?? sizes.sbis),
    runs: parseCount('--runs', values.runs),
    backupBytes: parseCount('--backup-mb', values['backup-mb'] ?? sizes.mib) * 1024 * 1024,
    items: parseCount('--items', values.items ?? sizes.items),
    curve: values.curve?.split(',').map((size) => parseCount('--curve', size)),
    output: values.output,
    save: values.save,
    check: values.check,
    keep: values.keep,
  };
}

function parseCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,6}$/u.test(text)) return Number(text);
  throw new Error(`${flag} is a whole number of at least 1, not ${JSON.stringify(text)}`);
}
