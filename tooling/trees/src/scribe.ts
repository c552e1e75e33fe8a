import { pathFromText } from '@deespec/domain';

import { Clock } from './clock.js';
import { Prose } from './prose.js';
import { Random } from './random.js';
import { TreeWriter, type Content } from './tree-writer.js';

const fileModes = [0o644, 0o644, 0o644, 0o644, 0o644, 0o644, 0o600, 0o600, 0o444, 0o755] as const;

/** Who writes a tree: its randomness, its time, its words, and where it writes to. */
export class Scribe {
  readonly random: Random;
  readonly clock: Clock;
  readonly prose: Prose;
  readonly writer: TreeWriter;
  /** SBI directories written so far. */
  sbis = 0;
  /** Rows that the index derives from what was written so far. */
  executions = 0;

  constructor(directory: string, seed: number) {
    this.random = new Random(seed);
    this.clock = new Clock(this.random);
    this.prose = new Prose(this.random);
    this.writer = new TreeWriter(directory);
  }

  /** Writes a file with the present time and a random mode. `path` is UTF-8 text. */
  write(path: string, content: Content): void {
    this.clock.advance(20);
    const stamp = { mode: this.random.pick(fileModes), mtimeUs: this.clock.nowUs };
    this.writer.file(pathFromText(path), content, stamp);
  }

  /** Creates a directory, which may stay empty. */
  directory(path: string): void {
    this.writer.directory(pathFromText(path), { mode: 0o755, mtimeUs: this.clock.nowUs });
  }

  /** A new SBI id with the present time in it. */
  newId(): string {
    this.sbis += 1;
    return `SBI-${this.random.ulid(this.clock.nowMs)}`;
  }
}
