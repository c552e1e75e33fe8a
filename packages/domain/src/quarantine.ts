import type { TreePath } from './tree-path.js';
import type { TreeEntry } from './tree-store.js';

/** An entry that is stored and exported like any other, but not interpreted. */
export interface QuarantinedEntry extends TreeEntry {
  /** Why, in one line: `rule: what was found`, or which lines of a journal. */
  readonly reason: string;
}

/** Which quarantined entries to list, by path in byte order. */
export interface QuarantineFilter {
  /** Rows, 1 to 1,000; default 100. */
  readonly limit?: number;
  /** List those after this path; nothing need stand there. */
  readonly after?: TreePath;
}

/** A reason in its two parts; that of a journal has no rule of its own, because its lines can break several. */
export function splitReason(reason: string): { readonly rule?: string; readonly detail: string } {
  const [whole, rule] = /^([a-z-]+): /u.exec(reason) ?? [];
  return rule === undefined ? { detail: reason } : { rule, detail: reason.slice(whole!.length) };
}
