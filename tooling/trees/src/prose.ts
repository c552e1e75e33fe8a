import type { Random } from './random.js';

const words =
  `storage adapter queue turn review lease retry digest schema index commit reader writer backup verify path entry
  migration cursor batch budget handler parser timeout checksum ledger snapshot rollback window pointer segment token
  größer naïve façade データ 設計 確認 журнал проверка ✅ 🚀 e\u0301cran`.split(/\s+/u);

const lineCount = 1024;

/** Markdown-like text in several scripts. Cut from one seeded pool, because 350 MB of fresh sentences would take minutes. */
export class Prose {
  readonly #random: Random;
  readonly #pool: string;
  /** Offset of each line in the pool. */
  readonly #starts: number[] = [];

  constructor(random: Random) {
    this.#random = random;
    let pool = '';
    for (let line = 0; line < lineCount; line += 1) {
      this.#starts.push(pool.length);
      pool += this.line();
    }
    this.#pool = pool;
  }

  /** Whole lines, about `length` characters of them and at least one, ending in a newline. */
  text(length: number): string {
    let text = '';
    while (text.length < length) {
      const start = this.#random.pick(this.#starts);
      const cut = this.#pool.indexOf('\n', start + length - text.length - 1);
      text += cut < 0 ? this.#pool.slice(start) : this.#pool.slice(start, cut + 1);
    }
    return text;
  }

  /** A few words without punctuation. */
  title(): string {
    return Array.from({ length: this.#random.int(2, 6) }, () => this.#random.pick(words)).join(' ');
  }

  /** A length in characters: most around `typical`, one in a hundred 20 times as long. */
  length(typical: number): number {
    const scale = this.#random.chance(0.01) ? 20 : 1;
    return Math.round(scale * typical * (0.2 + 1.6 * this.#random.next()));
  }

  private line(): string {
    const lead = this.#random.pick(['', '', '', '', '- ', '1. ', '## ', '> ', '    ']);
    const count = this.#random.int(3, 18);
    return `${lead}${Array.from({ length: count }, () => this.#random.pick(words)).join(' ')}.\n`;
  }
}
