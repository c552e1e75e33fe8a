import { decisions, isDecision, isSbiStatus, parseTime, sbiStatuses } from '@deespec/domain';
import type { Checks, Decision, Json, JsonObject, SbiStatus, ShapeKind } from '@deespec/domain';

import { quote } from './rules.js';
import type { Problem, RuleName } from './rules.js';

/** A time as it was written and in the fixed-width form. */
export interface Time {
  readonly utc: string;
  readonly original: string;
}

/**
 * Reads typed fields of an untrusted object and collects what is wrong with them. A field of another type than asked for
 * reads as absent: that is a problem of the shape, see {@link listProblems}.
 */
export class Fields {
  private readonly problems = new Map<string, Problem>();
  private readonly empty = new Set<string>();

  constructor(
    private readonly value: JsonObject,
    private readonly line?: number,
  ) {}

  /** The field's own value, `undefined` when absent; `null` counts as absent. */
  raw(key: string): Json | undefined {
    return Object.hasOwn(this.value, key) ? (this.value[key] ?? undefined) : undefined;
  }

  /** Text that may go into a column; the empty text counts as absent. */
  text(key: string): string | undefined {
    const value = this.raw(key);
    if (typeof value !== 'string' || value === '') return undefined;
    if (!isColumnText(value)) this.fail(key, 'column-text', 'text without NUL and half surrogate pairs');
    return value;
  }

  /** A time; the empty text and Go's zero time mean "not set". */
  time(key: string): Time | undefined {
    const original = this.raw(key);
    if (typeof original !== 'string' || original === '' || goZeroTime.test(original)) return undefined;
    const utc = parseTime(original);
    if (utc === undefined) this.fail(key, 'time-format', 'an RFC 3339 time with zone');
    return utc === undefined ? undefined : { utc, original };
  }

  /** A whole number that JavaScript holds exactly. */
  whole(key: string): number | undefined {
    const value = this.raw(key);
    if (typeof value !== 'number') return undefined;
    if (!Number.isSafeInteger(value)) this.fail(key, 'number-range', 'a whole number below 2^53');
    return value;
  }

  /** A status; the empty text is the Go tool's "none". */
  status(key: string): SbiStatus | undefined {
    const value = this.text(key);
    if (value === undefined) this.noteEmpty(key);
    if (value === undefined || isSbiStatus(value)) return value;
    this.fail(key, 'status-known', sbiStatuses.join(', '));
    return undefined;
  }

  /** A decision; the empty text is the Go tool's "none". */
  decision(key: string): Decision | undefined {
    const value = this.text(key);
    if (value === undefined) this.noteEmpty(key);
    if (value === undefined || isDecision(value)) return value;
    this.fail(key, 'decision-known', decisions.join(', '));
    return undefined;
  }

  /** Notes a problem of a field; the first one of each field counts. */
  fail(key: string, rule: RuleName, expected: string): void {
    const value = this.raw(key);
    const actual =
      value === undefined ? 'nothing' : quote(typeof value === 'string' ? value : JSON.stringify(value));
    const line = this.line === undefined ? {} : { line: this.line };
    if (!this.problems.has(key)) {
      this.problems.set(key, { rule, ...line, expected: `${key}: ${expected}`, actual });
    }
  }

  /** Problems of the fields read so far, then those of the shape that concern other fields; absent fields have none. */
  listProblems(checks: Checks, kind: ShapeKind): Problem[] {
    const line = this.line === undefined ? {} : { line: this.line };
    const shape = checks.shape(kind, this.presentFields());
    if (shape.length === 0 && this.problems.size === 0) return [];
    const others = shape.filter(({ property }) => !this.problems.has(property));
    return [
      ...this.problems.values(),
      ...others.map(({ property, expected, actual }): Problem => {
        return { rule: 'shape', ...line, expected: `${property}: ${expected}`, actual };
      }),
    ];
  }

  private noteEmpty(key: string): void {
    if (this.raw(key) === '') this.empty.add(key);
  }

  private presentFields(): JsonObject {
    const isAbsent = (key: string): boolean => this.value[key] === null || this.empty.has(key);
    if (!Object.keys(this.value).some(isAbsent)) return this.value;
    return Object.fromEntries(Object.entries(this.value).filter(([key]) => !isAbsent(key)));
  }
}

/** True when SQLite gives the text back as it is: no NUL, no half of a surrogate pair. */
export function isColumnText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

const goZeroTime = /^0001-01-01T00:00:00(?:\.0+)?Z$/u;
