import type { Zone } from '../app/preferences.js';

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

/** `2026-11-29 17:49:11`, in UTC with `Z`; text that is no time comes back as it is. */
export function formatTime(text: string, zone: Zone): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  if (zone === 'utc') return date.toISOString().slice(0, 19).replace('T', ' ') + 'Z';
  const day = [pad(date.getFullYear(), 4), pad(date.getMonth() + 1), pad(date.getDate())].join('-');
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

const spans = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `2 h 5 min`, `1.4 s`, `320 ms`: the two largest units that are not zero. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of spans) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** `3 h ago`, `in 5 min`: the largest unit is enough. */
export function formatAge(text: string, nowMs: number): string {
  const age = nowMs - new Date(text).getTime();
  if (Number.isNaN(age)) return text;
  const size = Math.abs(age);
  if (size < 5000) return 'just now';
  const [unit, length] = spans.find(([, one]) => size >= one) ?? (['s', 1000] as const);
  const words = `${Math.floor(size / length)} ${unit}`;
  return age >= 0 ? `${words} ago` : `in ${words}`;
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `1.4 MB`; 1 kB is 1,000 bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let index = 0;
  while (value >= 1000 && index < sizes.length - 1) {
    value /= 1000;
    index += 1;
  }
  const digits = index === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${sizes[index] ?? 'B'}`;
}

const integer = new Intl.NumberFormat('en-US');

/** `20,000`. */
export function formatCount(count: number): string {
  return integer.format(count);
}

/** Characters that change what others look like, or that cannot be seen at all. */
const unseen =
  // eslint-disable-next-line no-control-regex -- they are what this is about
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/gu;

/**
 * Text that others wrote, for a line of ours: controls and marks of direction become `⟨U+202E⟩`, heaps of combining
 * characters are cut, and so is what is longer than `limit` characters.
 */
export function visibleText(text: string, limit = 300): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return clipMarks(cut).replace(
    unseen,
    (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/** No more than eight combining characters on one letter: more of them paint over other lines. */
export function clipMarks(text: string): string {
  return text.replace(/(\p{M}{8})\p{M}+/gu, '$1');
}
