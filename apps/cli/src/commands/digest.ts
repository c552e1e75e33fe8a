import type { DigestReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { formatNumberOf, renderList } from '../render.js';
import { jsonBytes } from '../safe-text.js';
import type { Context, Session } from '../session.js';

/** `digest`: the digest of a tree on disk, or the manifest it is the SHA-256 of. */
export function digestCommand(session: Session) {
  return defineCommand('digest', {
    summary: 'print the digest of a tree',
    description:
      'Print the digest of a .deespec tree, or of any directory: two trees with the same digest have the ' +
      'same paths, kinds, modes and bytes. The digest is the SHA-256 of the manifest.',
    examples: [
      ['deespec digest', 'the digest of the tree, one line of 64 hexadecimal digits'],
      ['deespec digest ../restored', 'the digest of an exported tree'],
      ['deespec digest --manifest | sha256sum', 'the manifest; its SHA-256 is the digest'],
    ],
  })
    .argument('[dir]', 'the directory (default: the .deespec directory)')
    .option('--manifest', 'print the manifest instead, one line per entry')
    .action((directory, { manifest = false }, command) =>
      session.run(command, async (context) => {
        const target = directory ?? (await context.home());
        const lines: (string | { base64: string })[] = [];
        const output = new ManifestOutput(context);
        const onLine = context.json
          ? (line: Buffer): void => void lines.push(jsonBytes(line))
          : (line: Buffer): void => output.add(line);
        const report = await readDigest(context, { directory: target, ...(manifest ? { onLine } : {}) });
        output.flush();
        return {
          data: manifest ? { ...report, manifest: lines } : report,
          text: () => (manifest ? '' : `${report.digest}\n`),
          notes: digestNotes(report, manifest),
        };
      }),
    );
}

async function readDigest(
  context: Context,
  options: { directory: string; onLine?: (line: Buffer) => void },
): Promise<DigestReport> {
  const { digest } = await import('@deespec/storage');
  const { signal } = context;
  return context.withProgress((onProgress) => digest({ ...options, signal, onProgress }));
}

function digestNotes(report: DigestReport, manifest: boolean): readonly string[] {
  const counts = [
    formatNumberOf(report.files, 'file'),
    formatNumberOf(report.directories, 'directory', 'directories'),
    formatNumberOf(report.symlinks, 'symlink'),
    formatNumberOf(report.bytes, 'byte'),
  ].join(', ');
  const ignored = renderList('not counted, files of other programs:', report.ignored).trimEnd();
  return [counts, ...(manifest ? [`digest ${report.digest}`] : []), ...(ignored === '' ? [] : [ignored])];
}

/** Bytes of the manifest that are written at once: a write per line would cost more than the digest. */
const WRITE_BYTES = 65_536;

const lineFeed = Buffer.from('\n');

/** Passes the manifest on in pieces: a manifest is larger than memory should be. */
class ManifestOutput {
  #pending: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly context: Context) {}

  add(line: Buffer): void {
    this.#pending.push(Buffer.concat([line, lineFeed]));
    this.#bytes += line.length + 1;
    if (this.#bytes >= WRITE_BYTES) this.flush();
  }

  flush(): void {
    this.context.terminal.write(Buffer.concat(this.#pending));
    this.#pending = [];
    this.#bytes = 0;
  }
}
