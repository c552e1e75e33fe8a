/**
 * Parses a time as the trees carry it: RFC 3339 with `Z` or an offset and 0 to 9 digits of fraction.
 *
 * @returns UTC text of fixed width, `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ` (30 characters: sorts as text, keeps nanoseconds), or
 *   `undefined` when `text` is no such time: no zone, an impossible date such as 30 February, a leap second. Go's zero
 *   time (`0001-01-01T00:00:00Z`) means "not set" and gives `undefined` too.
 *
 * Source: RFC 3339 section 5.6; docs/formats.md "Times".
 */
export function parseTime(text: string): string | undefined {
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone] = parts as unknown as string[];
  const wall = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second!);
  const civil = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  if (+year! < 1000 || Number.isNaN(wall) || new Date(wall).toISOString() !== civil) return undefined;
  const offset = zoneOffsetMs(zone!);
  if (offset === undefined) return undefined;
  const utc = new Date(wall - offset).toISOString();
  // An offset can carry the time out of the four-digit years, which the ISO form writes longer.
  return utc.length === 24 ? `${utc.slice(0, 19)}.${fraction.padEnd(9, '0')}Z` : undefined;
}

/** `nanoseconds` since 1970 UTC in the fixed-width form of {@link parseTime}. */
export function timeFromNs(nanoseconds: bigint): string {
  const second = 1_000_000_000n;
  const fraction = ((nanoseconds % second) + second) % second;
  const seconds = (nanoseconds - fraction) / second;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction.toString().padStart(9, '0')}Z`;
}

/** `date` in the fixed-width form of {@link parseTime}. */
export function timeFromDate(date: Date): string {
  return timeFromNs(BigInt(date.getTime()) * 1_000_000n);
}

/** Nanoseconds since 1970 UTC of a time in the fixed-width form. */
export function timeToNs(time: string): bigint {
  return BigInt(Date.parse(`${time.slice(0, 19)}Z`)) * 1_000_000n + BigInt(time.slice(20, 29));
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/u;

function zoneOffsetMs(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
