import type { Writable } from 'node:stream';

/** A standard stream of the process. */
export type Stream = Writable & { readonly isTTY?: boolean };

/**
 * Standard output and standard error. A reader that went away (`| head`) ends the output, not the command: a migration
 * must not die because nobody reads its progress.
 */
export class Terminal {
  /** True once the reader of standard output has gone. */
  outputClosed = false;
  /** Why standard output could not be written, other than a reader that has gone. */
  outputError: Error | undefined;

  constructor(
    readonly stdout: Stream,
    readonly stderr: Stream,
  ) {
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      this.outputClosed = true;
      if (error.code !== 'EPIPE') this.outputError = error;
    });
    // Standard error is the last place to complain: when it is gone there is nobody to tell.
    stderr.on('error', () => undefined);
  }

  /** Writes a result. Does nothing once the reader has gone. */
  write(chunk: string | Uint8Array): void {
    if (!this.outputClosed && chunk.length > 0) this.stdout.write(chunk);
  }

  /** Writes a result piece by piece, the next when the reader has taken the last. Stops once the reader has gone. */
  async writeAll(chunks: Iterable<string | Uint8Array>): Promise<void> {
    for (const chunk of chunks) {
      if (this.outputClosed) return;
      if (chunk.length === 0) continue;
      const isTaken = await new Promise((resolve) =>
        this.stdout.write(chunk, (error) => resolve(error == null)),
      );
      if (isTaken !== true) return; // the handler of the constructor remembers why
    }
  }

  /** Writes a line of notes, progress or errors. */
  note(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** Resolves when everything written has left the process, or cannot. */
  async flush(): Promise<void> {
    for (const stream of [this.stdout, this.stderr]) {
      if (!stream.destroyed) await new Promise<void>((resolve) => stream.write('', () => resolve()));
    }
    // A failed write reports its error event after the callback.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
