import { decisions } from '@deespec/domain';
import type { Decision } from '@deespec/domain';

// Every part is bounded, so that a marker is shorter than MAX_MARKER_BYTES; and only LF ends a line (the `m` flag would take
// CR too): the answer must not depend on where chunks end.
const marker = new RegExp(
  '(?:^|\\n)(?:\\xef\\xbb\\xbf)?[ \\t*]{0,20}DECISION[ \\t*]{0,20}:[ \\t*]{0,20}' +
    `(${decisions.join('|')})[ \\t*]{0,20}\\r?(?=\\n|$)`,
  'gi',
);
const MAX_MARKER_BYTES = 256;

/**
 * The decision of the last `DECISION: <decision>` line of a text: any case, `*` around it, a byte order mark before it and
 * CRLF after it are fine; markers with unknown words do not count. Reads bytes as they are, in constant memory.
 *
 * Source: docs/formats.md, "From B to the tables".
 */
export function findDecision(chunks: Iterable<Buffer>): Decision | undefined {
  let found: Decision | undefined;
  let rest = '';
  for (const chunk of chunks) {
    const text = rest + chunk.toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    found = lastMarker(text.slice(0, end)) ?? found;
    rest = text.slice(end);
    // A line this long is no marker; its beginning stands for it.
    if (rest.length > MAX_MARKER_BYTES) rest = `#${' '.repeat(MAX_MARKER_BYTES)}`;
  }
  return lastMarker(rest) ?? found;
}

function lastMarker(text: string): Decision | undefined {
  let found: Decision | undefined;
  for (const [, word] of text.matchAll(marker)) found = word!.toUpperCase() as Decision;
  return found;
}
