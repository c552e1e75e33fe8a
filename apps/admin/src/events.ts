import { readPulse, type Pulse } from '@deespec/storage';
import type { ServerResponse } from 'node:http';

/** How often the tree is looked at while somebody watches, and how often silence is broken, milliseconds. */
const PULSE_MS = 1_000;
const PING_MS = 15_000;

/** So many watch at a time. */
const MOST_WATCHERS = 32;

interface Watcher {
  readonly response: ServerResponse;
  /** False once the session has ended. */
  readonly isWelcome: () => boolean;
}

/** Server-sent events: what happens goes to everybody who watches. */
export class Events {
  private readonly watchers = new Set<Watcher>();
  private timer: NodeJS.Timeout | undefined;
  private pulse: Pulse | undefined;
  private lookedAtMs = 0;

  constructor(private readonly home: string) {}

  /** True when nobody else can watch. */
  get isFull(): boolean {
    return this.watchers.size >= MOST_WATCHERS;
  }

  /** Adds a watcher whose head was sent; it goes when its connection ends. */
  add(watcher: Watcher, hello: object): void {
    this.watchers.add(watcher);
    watcher.response.once('close', () => this.remove(watcher));
    write(watcher, 'hello', hello);
    this.timer ??= setInterval(() => void this.look(), PULSE_MS).unref();
  }

  send(name: string, data: object): void {
    for (const watcher of this.watchers) write(watcher, name, data);
  }

  close(): void {
    this.send('bye', { reason: 'server' });
    for (const { response } of this.watchers) response.end();
  }

  private remove(watcher: Watcher): void {
    this.watchers.delete(watcher);
    if (this.watchers.size > 0) return;
    clearInterval(this.timer);
    this.timer = this.pulse = undefined;
  }

  private async look(): Promise<void> {
    for (const watcher of this.watchers) {
      if (watcher.isWelcome()) continue;
      write(watcher, 'bye', { reason: 'session' });
      watcher.response.end();
    }
    const areas = await this.changed();
    if (areas.length > 0) this.send('change', { areas });
    const nowMs = performance.now();
    if (nowMs - this.lookedAtMs < PING_MS) return;
    this.lookedAtMs = nowMs;
    for (const { response } of this.watchers) response.write(': ping\n\n');
  }

  private async changed(): Promise<string[]> {
    const before = this.pulse;
    try {
      this.pulse = await readPulse({ home: this.home });
    } catch {
      // A tree that cannot be looked at is what the next request says.
      return [];
    }
    const now = this.pulse;
    if (before === undefined) return [];
    return (Object.keys(now) as (keyof Pulse)[]).filter((area) => now[area] !== before[area]);
  }
}

/** More than this waiting, bytes: the client does not read, and is let go. */
const MOST_WAITING = 4_194_304;

function write({ response }: Watcher, name: string, data: object): void {
  if (response.writableLength > MOST_WAITING) {
    response.destroy();
    return;
  }
  response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
