import type { ByteEquation, RowCounts, Tally } from '@deespec/storage';
import prettyBytes from 'pretty-bytes';
import { safeText } from './safe-text.js';

/** A whole number with thousands separators. Not by `Intl`: it loads for 30 ms, a tenth of what `status` takes. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/(?<=\d)(?=(?:\d{3})+$)/gu, ',');
}

/** `1 entry`, `2 entries`. */
export function formatNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Entries and bytes; below a thousand bytes the exact number is all there is. */
export function formatTally({ entries, bytes }: Tally): string {
  const rounded = bytes < 1000 ? '' : ` (${prettyBytes(bytes)})`;
  return `${formatNumberOf(entries, 'entry', 'entries')}, ${formatNumberOf(bytes, 'byte')}${rounded}`;
}

/** The byte law's equation, as two lines of {@link renderFields}. */
export function equationFields({ scanned, stored, ignored, holds }: ByteEquation): readonly Field[] {
  return [
    ['scanned', formatTally(scanned)],
    ['= stored', formatTally(stored)],
    ['+ ignored', `${formatTally(ignored)}${holds ? '' : '   THE EQUATION DOES NOT HOLD'}`],
  ];
}

/** What the database holds. */
export function formatRows(rows: RowCounts): string {
  const counts = [
    formatNumberOf(rows.sbi, 'SBI'),
    formatNumberOf(rows.execution, 'execution'),
    formatNumberOf(rows.config, 'setting'),
    formatNumberOf(rows.auditLog, 'audit row'),
    `${formatNumberOf(rows.treeEntry, 'tree entry', 'tree entries')} (${formatCount(rows.quarantined)} quarantined)`,
  ];
  return counts.join(', ');
}

/** SBIs by status: `3 DONE, 1 WIP`. */
export function formatStatuses(byStatus: RowCounts['byStatus']): string {
  return Object.entries(byStatus)
    .map(([status, count]) => `${formatCount(count)} ${status}`)
    .join(', ');
}

/**
 * A time of the trees (UTC, fixed width) in the zone of this machine, to the second. Text that is no such time passes
 * unchanged.
 */
export function localTime(utc: string): string {
  const date = new Date(`${utc.slice(0, 19)}Z`);
  if (!/^\d{4}-\d\d-\d\dT/u.test(utc) || Number.isNaN(date.getTime())) return utc;
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')}`;
}

export type Field = readonly [label: string, value: string];

/** Labels and values in two columns, escaped; fields without a value are left out. */
export function renderFields(fields: readonly Field[]): string {
  const shown = fields.filter(([, value]) => value !== '');
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${safeText(value)}\n`).join('');
}

/** At most this many paths stand in a list for people; the rest are counted. */
const LIST_LENGTH = 50;

/** A titled list, escaped; empty text for an empty list. */
export function renderList(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const more =
    items.length > LIST_LENGTH
      ? [`... and ${formatCount(items.length - LIST_LENGTH)} more (see --json)`]
      : [];
  const lines = [...items.slice(0, LIST_LENGTH).map(safeText), ...more];
  return `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
