import { parseArgs } from 'node:util';

export const usage = `usage: npm run bench -- [options]

  --sbis <n>        size of the tree (default 20000: about 113,000 files, 350 MB)
  --backup-mb <n>   size of the database that is backed up and restored, MiB (default 1024)
  --runs <n>        rounds; medians are taken over them (default 3)
  --output <file>   also write the figures as JSON
  --keep            keep the directory it worked in

example: npm run bench -- --sbis 2000 --runs 1 --output bench.json
`;

export interface Options {
  readonly sbis: number;
  readonly runs: number;
  /** Bytes. */
  readonly backupBytes: number;
  readonly output: string | undefined;
  readonly keep: boolean;
}

/** The options on the command line. @throws Error that says what is wrong with them */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sbis: { type: 'string', default: '20000' },
      runs: { type: 'string', default: '3' },
      'backup-mb': { type: 'string', default: '1024' },
      output: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  return {
    sbis: parseCount('--sbis', values.sbis),
    runs: parseCount('--runs', values.runs),
    backupBytes: parseCount('--backup-mb', values['backup-mb']) * 1024 * 1024,
    output: values.output,
    keep: values.keep,
  };
}

function parseCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,6}$/u.test(text)) return Number(text);
  throw new Error(`${flag} is a whole number of at least 1, not ${JSON.stringify(text)}`);
}
