import { isText, StorageError } from '@deespec/domain';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';

/** Bytes for the client, in chunks that are its own. */
export type Take = (chunk: Buffer) => Promise<void>;

/** Bytes that a route answers with. */
export interface Download {
  /** Name of the file, for whoever keeps it. */
  readonly name: string;
  /** Absent: text when all of a content of at most 4 MiB is proven to be such, else bytes. */
  readonly mediaType?: string;
  /** Hands the content on, one chunk after the other. */
  readonly send: (take: Take) => Promise<void>;
}

/** An answer with bytes. */
export interface BytesAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | PassThrough;
}

/** Up to this size, bytes, a content is held whole, so that it is known to be text before the answer begins. */
const HELD_BYTES = 4_194_304;

/** How long a client may read nothing, milliseconds: what is read for it keeps others waiting. */
const STALL_MS = 30_000;

/** Begins an answer. Errors from before its first byte reject; later ones cut the connection, so that nobody takes a part for the whole. */
export function answerWith({ name, mediaType, send }: Download): Promise<BytesAnswer> {
  return new Promise((resolve, reject) => {
    const begin = (body: BytesAnswer['body']): void =>
      resolve({ headers: headersOf(name, mediaType ?? typeOf(body)), body });
    const answer = new Answer(begin);
    send((chunk) => answer.take(chunk)).then(
      () => answer.end(),
      (error: Error) => {
        answer.fail(error);
        reject(error);
      },
    );
  });
}

/** Holds what comes until it ends, or until it is too much to hold: then it is a stream. */
class Answer {
  private readonly held: Buffer[] = [];
  private heldBytes = 0;
  private stream: PassThrough | undefined;
  private readonly closed = new AbortController();

  constructor(private readonly begin: (body: BytesAnswer['body']) => void) {}

  async take(chunk: Buffer): Promise<void> {
    // A copy: a reader may fill its chunk again.
    const own = Buffer.from(chunk);
    if (this.stream !== undefined) return this.write(this.stream, own);
    this.held.push(own);
    this.heldBytes += own.length;
    if (this.heldBytes <= HELD_BYTES) return;
    this.stream = new PassThrough({ highWaterMark: 1_048_576 });
    this.stream.once('close', () => this.closed.abort());
    this.begin(this.stream);
    for (const one of this.held.splice(0)) await this.write(this.stream, one);
  }

  end(): void {
    if (this.stream === undefined) this.begin(Buffer.concat(this.held));
    else this.stream.end();
  }

  fail(error: Error): void {
    this.stream?.destroy(error);
  }

  private async write(stream: PassThrough, chunk: Buffer): Promise<void> {
    if (stream.destroyed) throw gone();
    if (stream.write(chunk)) return;
    try {
      await once(stream, 'drain', {
        signal: AbortSignal.any([this.closed.signal, AbortSignal.timeout(STALL_MS)]),
      });
    } catch {
      throw gone();
    }
  }
}

function gone(): StorageError {
  return new StorageError('INTERRUPTED', 'the client does not read any more');
}

function typeOf(body: Buffer | PassThrough): string {
  return Buffer.isBuffer(body) && isText(body) ? 'text/plain; charset=utf-8' : 'application/octet-stream';
}

function headersOf(name: string, mediaType: string): Readonly<Record<string, string>> {
  return { 'content-type': mediaType, 'content-disposition': disposition(name) };
}

/** Keeps the file, whatever it is called: the name that old clients see has nothing but harmless characters. */
export function disposition(name: string): string {
  const short = name.slice(-150);
  const plain = short.replace(/[^\w.-]/gu, '_').replace(/^\.+/u, '_');
  const exact = encodeURIComponent(short.replace(/[\p{Cc}\p{Surrogate}/\\]/gu, '_')).replace(
    /['()*!]/gu,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain === '' ? 'file' : plain}"; filename*=UTF-8''${exact}`;
}
