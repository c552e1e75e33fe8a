import { request, type ClientRequest } from 'node:http';

import type { Browser } from './support.js';

/** One event as it came. */
export interface Heard {
  readonly name: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an event is read as a client reads it
  readonly data: any;
}

/** What a browser hears that watches. */
export class Listener {
  readonly heard: Heard[] = [];
  private waiting: (() => void)[] = [];
  isOver = false;

  private constructor(private readonly outgoing: ClientRequest) {}

  static listen(port: number, { headers }: Browser): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          path: '/api/events',
          headers: { host: `127.0.0.1:${port}`, ...headers },
          agent: false,
        },
        (incoming) => {
          let rest = '';
          incoming.setEncoding('utf8').on('data', (text: string) => {
            const blocks = (rest + text).split('\n\n');
            rest = blocks.pop()!;
            for (const block of blocks) listener.take(block);
          });
          incoming.on('close', () => listener.end());
          resolve(listener);
        },
      );
      const listener = new Listener(outgoing);
      outgoing.on('error', reject).end();
    });
  }

  /** Resolves with the first event, heard before or after this, that is the one. */
  async find(isOne: (heard: Heard) => boolean): Promise<Heard> {
    for (;;) {
      const found = this.heard.find(isOne);
      if (found !== undefined) return found;
      if (this.isOver) throw new Error('the events ended without it');
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async ended(): Promise<void> {
    while (!this.isOver) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    this.outgoing.destroy();
  }

  private take(block: string): void {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/u.exec(block) ?? [];
    if (name === undefined) return;
    this.heard.push({ name, data: JSON.parse(data!) as unknown });
    this.wake();
  }

  private end(): void {
    this.isOver = true;
    this.wake();
  }

  private wake(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }
}
