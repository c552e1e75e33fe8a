import { StorageError } from './errors.js';
import type { JsonObject } from './json.js';

declare const brand: unique symbol;

/** Id of a backlog item: `SBI-` and 26 upper-case letters or digits. */
export type SbiId = string & { readonly [brand]: 'SbiId' };

/** States of an SBI. Source: docs/formats.md, "Status". */
export const sbiStatuses = ['READY', 'WIP', 'REVIEW', 'REVIEW&WIP', 'DONE'] as const;
export type SbiStatus = (typeof sbiStatuses)[number];

/** A backlog item: one directory below `specs/sbi`. */
export interface Sbi {
  readonly id: SbiId;
  readonly taskId: string;
  readonly label?: string;
  readonly priority: number;
  readonly status: SbiStatus;
  /** UTC, fixed width, see `parseTime`; so are the next two. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly completedAt?: string;
  /**
   * `title`, `labels`, every key of the source file that has no column, `original` (times as they were written) and
   * `derived` (column -> where its value came from).
   */
  readonly metadata: JsonObject;
}

/** What a list of SBIs can be ordered by; see {@link SbiFilter.order}. */
export const sbiOrders = ['created', 'next', 'updated', 'priority', 'status', 'id'] as const;
export type SbiOrder = (typeof sbiOrders)[number];

/** Which SBIs to list. Absent fields do not restrict. */
export interface SbiFilter {
  readonly status?: SbiStatus;
  /** Items that carry this label: the whole label, or one of its comma-separated parts. */
  readonly label?: string;
  /**
   * Items in whose title, `spec.md` or executions' contents every word of this text occurs, each as a whole word; case and
   * diacritics do not matter. 1 to 1,000 characters with at least one letter or digit; everything else only separates words.
   * Contents that are no text are not searched. Source: docs/database.md, "Search".
   */
  readonly search?: string;
  /**
   * `created` (the default): by `createdAt`, then `id`. `next`: in the order in which they are to be taken into work: by
   * `priority`, lowest first and 0 as 999 because it says nothing, then `createdAt`, then `id`. `updated`, `priority` (as the
   * number it is), `status` and `id`: by that, then `createdAt`, then `id`. Pages of a database are read along an index.
   */
  readonly order?: SbiOrder;
  /** Default `ascending`. */
  readonly direction?: 'ascending' | 'descending';
  /** Rows, 1 to 1,000; default 100. */
  readonly limit?: number;
  /** List those after this one, in the order of the list; it must exist. */
  readonly after?: SbiId;
}

/** Which SBIs an index lists. */
export interface IndexFilter extends SbiFilter {
  /** Those with a `state.json` of their own: of the Go tool's layout, whose SBIs have none, one is in work at a time. */
  readonly hasState?: true;
}

const sbiId = /^SBI-[0-9A-Z]{26}$/u;

/** True when `text` is an SBI id. Source: migration strategy, "Validation Rules" (`SBIIDFormatRule`). */
export function isSbiId(text: string): text is SbiId {
  return sbiId.test(text) && !text.endsWith('\n');
}

/** `text` as an SBI id. @throws StorageError `SBI.INVALID_ID` */
export function parseSbiId(text: string): SbiId {
  if (isSbiId(text)) return text;
  throw new StorageError('SBI.INVALID_ID', `not an SBI id: ${JSON.stringify(text)}`, {
    hint: 'an id is "SBI-" and 26 characters of 0-9 and A-Z; "deespec sbi list" shows those that exist',
    details: { id: text },
  });
}

/** True when `text` is a known status. */
export function isSbiStatus(text: string): text is SbiStatus {
  return (sbiStatuses as readonly string[]).includes(text);
}

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * The time in an SBI id's ULID: milliseconds since 1970 UTC, or `undefined` when the ten leading characters are no
 * Crockford Base32 within a ULID's 48 bits (ids with I, L, O or U exist in the field).
 */
export function sbiIdTimeMs(id: SbiId): number | undefined {
  let time = 0;
  for (const character of id.slice(4, 14)) {
    const digit = crockford.indexOf(character);
    if (digit < 0) return undefined;
    time = time * 32 + digit;
  }
  return time <= 0xffff_ffff_ffff ? time : undefined;
}
