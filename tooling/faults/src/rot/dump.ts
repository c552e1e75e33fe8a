import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What a database holds and what SQLite says of it, seen without any code of the product. */
export interface Dump {
  /** SHA-256 of every value of every row of every table, or why they cannot be read. */
  readonly rows: string;
  /** `ok`, or what SQLite's own checks say. */
  readonly quickCheck: string;
  readonly integrityCheck: string;
}

const program = fileURLToPath(new URL('dump-program.js', import.meta.url));

/** Long enough for any database of the suite; pages that refer to one another can keep a scan busy for ever. */
const TIMEOUT_MS = 30_000;

/** Dumps a database in a process of its own: one that is damaged can take any process with it. */
export async function dumpOf(database: string): Promise<Dump> {
  const [rows, quickCheck, integrityCheck] = await Promise.all(
    ['rows', 'quick_check', 'integrity_check'].map((what) => ask(database, what)),
  );
  return { rows: rows!, quickCheck: quickCheck!, integrityCheck: integrityCheck! };
}

async function ask(database: string, what: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, database, what], {
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1_048_576,
    });
    return stdout.trim();
  } catch (error) {
    return `failed: ${(error as Error).message.slice(0, 200)}`;
  }
}
