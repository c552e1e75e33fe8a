import type { Json } from '@deespec/domain';

/** The three spellings of JSON that real trees hold. */
export const jsonStyles = ['go-indented', 'indented', 'compact'] as const;
export type JsonStyle = (typeof jsonStyles)[number];

/** `value` as Go's encoder writes it on one line: no spaces, and `<`, `>`, `&`, U+2028, U+2029 escaped. */
export function goJson(value: Json): string {
  return escapeAsGo(JSON.stringify(value));
}

/** `value` in one of the styles. Only `indented` ends in a newline. Source: docs/formats.md, "three JSON styles". */
export function jsonText(value: Json, style: JsonStyle): string {
  if (style === 'compact') return JSON.stringify(value);
  const text = JSON.stringify(value, null, 2);
  return style === 'indented' ? `${text}\n` : escapeAsGo(text);
}

function escapeAsGo(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/gu, (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}
