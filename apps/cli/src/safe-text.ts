// Text that comes from a tree may carry escape sequences that drive the reader's terminal: everything printed goes
// through this file.

/** Control, direction and invisible characters, line separators, lone surrogates. */
const unprintable =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * `text` on one line, safe for a terminal: what is unprintable stands there as `\xHH` or `\u{H}`. Text that `displayPath`
 * has escaped already passes unchanged.
 */
export function safeText(text: string): string {
  return text.replace(unprintable, escapeCharacter);
}

/** `text` of several lines, safe for a terminal: line feeds and tabs stay, everything else as {@link safeText}. */
export function safeLines(text: string): string {
  return text.replace(unprintable, (c) => (c === '\n' || c === '\t' ? c : escapeCharacter(c)));
}

/**
 * Content as text for people: UTF-8 where it is well-formed, else printable ASCII with every other byte as `\xHH`; made
 * safe as {@link safeLines}.
 */
export function safeContent(content: Buffer): string {
  return [...safeParts(() => [content])].join('');
}

/** {@link safeContent} of content that is larger than memory should be. @param read - begins reading; called twice */
export function* safeParts(read: () => Iterable<Buffer>): Generator<string> {
  if (!isUtf8(read())) {
    for (const chunk of read()) {
      yield chunk
        .toString('latin1')
        .replace(/[^\t\n\x20-\x7e]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
    }
    return;
  }
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (const chunk of read()) yield safeLines(decoder.decode(chunk, { stream: true }));
}

function isUtf8(chunks: Iterable<Buffer>): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (const chunk of chunks) decoder.decode(chunk, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    return false;
  }
}

/** `text` as one word for a POSIX shell, to paste into a command line. */
export function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** JSON text with every unprintable character as `\uHHHH`: the same document, safe for a terminal. */
export function safeJson(json: string): string {
  return json.replace(unprintable, (c) => (c === '\n' ? c : c.replace(/[^]/g, escapeUnit)));
}

/** Bytes in a JSON document: text when they are well-formed UTF-8, which gives the same bytes back, else base64. */
export function jsonBytes(bytes: Buffer): string | { readonly base64: string } {
  return utf8Text(bytes) ?? { base64: bytes.toString('base64') };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8Text(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex.padStart(4, '0')}}`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
