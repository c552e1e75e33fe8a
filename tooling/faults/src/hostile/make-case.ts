import type { ExpectedFinding, FileRow, HostileCase, Refusal } from './hostile-case.js';
import { sbiPath } from './place.js';

/** What {@link fileRows} makes a case of. */
export interface FileRows {
  readonly id: string;
  readonly input: string;
  /** The file of an SBI that has the contents, one SBI for each. */
  readonly name: string;
  readonly rows: readonly FileRow[];
  readonly warnings?: readonly ExpectedFinding[];
  readonly note?: string;
}

/** A case of one tree with an SBI for each content: `quarantine` when a rule keeps any of them out, else `exact`. */
export function fileRows({ id, input, name, rows, warnings = [], note }: FileRows): HostileCase {
  const errors = rows.flatMap(([, rule], at): ExpectedFinding[] =>
    rule === undefined ? [] : [[sbiPath(at + 1, name), rule]],
  );
  return {
    id,
    input,
    ...(note === undefined ? {} : { note }),
    expect: errors.length > 0 ? { verdict: 'quarantine', errors, warnings } : { verdict: 'exact', warnings },
    prepare: (place) => rows.forEach(([content], at) => place.putSbi(at + 1, { [name]: content })),
  };
}

/** The case with a note. */
export function noted(hostile: HostileCase, note: string): HostileCase {
  return { ...hostile, note };
}

/** `migrate` and `migrate --quarantine` both fail so. */
export function migrateFails(exit: number, code: string): readonly Refusal[] {
  return [['migrate'], ['migrate', '--quarantine']].map((args) => ({ args, exit, code }));
}
