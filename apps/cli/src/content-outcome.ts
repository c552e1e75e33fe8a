import { StorageError } from '@deespec/domain';
import { jsonBytes, safeParts } from './safe-text.js';
import type { Context, Outcome } from './session.js';

/** Largest content, in bytes, that a JSON document carries: it is held in memory several times over. */
const JSON_BYTES = 67_108_864;

/** Content to print. */
interface PrintableContent {
  /** For display. */
  readonly path: string;
  readonly sizeBytes: number;
  /** What a JSON document says beside the content. */
  readonly detail: object;
  /** Begins reading; called twice for a terminal. */
  readonly read: () => Iterable<Buffer>;
}

/**
 * Prints content of any size: unchanged into a file or pipe, escaped on a terminal; with `--json` text or base64, up to 64 MiB.
 *
 * @throws StorageError `USAGE.INVALID` for more than that with `--json`; those of reading
 */
export async function contentOutcome(context: Context, content: PrintableContent): Promise<Outcome> {
  const { path, sizeBytes, detail, read } = content;
  if (!context.json) {
    const isTerminal = context.terminal.stdout.isTTY === true;
    await context.terminal.writeAll(isTerminal ? safeParts(read) : read());
    return { data: null, text: () => '' };
  }
  if (sizeBytes > JSON_BYTES) {
    throw new StorageError('USAGE.INVALID', `${path} is too large for a JSON document: ${sizeBytes} bytes`, {
      hint: 'without --json the content is streamed: redirect it into a file',
      details: { path, sizeBytes, mostBytes: JSON_BYTES },
    });
  }
  return { data: { ...detail, content: jsonBytes(Buffer.concat([...read()])) }, text: () => '' };
}
