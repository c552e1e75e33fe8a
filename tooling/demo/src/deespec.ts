import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The committed launcher of the command line, in this repository. */
const launcher = fileURLToPath(new URL('../../../apps/cli/bin/deespec.js', import.meta.url));

/** The one document that every command prints with `--json`. Source: docs/cli.md, "JSON". */
interface Envelope {
  readonly ok: boolean;
  readonly exitCode: number;
  readonly data: unknown;
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null;
}

/**
 * Runs the command and returns its `data`.
 *
 * @throws Error with the command, its exit code, its message and hint when it does not exit with 0, or when what it prints is
 *   not one JSON document
 */
export function runDeespec<Report>(...args: string[]): Report {
  const child = spawnSync(process.execPath, [launcher, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (child.error !== undefined) throw child.error;
  const envelope = parseEnvelope(child.stdout);
  if (envelope?.ok === true && child.status === 0) return envelope.data as Report;
  const reason = envelope?.error ? `${envelope.error.code}: ${envelope.error.message}` : child.stderr.trim();
  const hint = envelope?.error?.hint === undefined ? '' : `\n  hint: ${envelope.error.hint}`;
  throw new Error(`deespec ${args.join(' ')}\n  exit ${child.status ?? child.signal}: ${reason}${hint}`);
}

function parseEnvelope(text: string): Envelope | undefined {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return undefined;
  }
}
