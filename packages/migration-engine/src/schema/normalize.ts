import { createHash } from 'node:crypto';

/** A quoted text or name, a comment, a word, space, or one other character. Source: sqlite.org/lang_comment.html. */
const token =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[\p{L}\p{N}_$.]+|\s+|[\s\S]/gu;
const unsaid = /^(?:--|\/\*|\s)/u;

/**
 * What SQL says, whatever its line ends, comments and spaces: its tokens, one space between them. Two texts with the same
 * result mean the same; what stands in quotes is kept as it is.
 */
export function normalizedSql(sql: string): string {
  const text = sql.replaceAll(/\r\n?/gu, '\n');
  return [...text.matchAll(token)]
    .map(([part]) => part)
    .filter((part) => !unsaid.test(part))
    .join(' ');
}

/** SHA-256 (hex) of {@link normalizedSql}. */
export function normalizedHash(sql: string): string {
  return createHash('sha256').update(normalizedSql(sql), 'utf8').digest('hex');
}
