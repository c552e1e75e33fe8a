import { createHash } from 'node:crypto';

const FILLER = 'Zeile mit Bytes – 設計 и решение 🚀\n';

/** The bytes of a file that names itself and ends in its own hash, so that whoever reads it can tell whether it is whole. */
export function contentOf(token: string): Buffer {
  const length = 1 + (createHash('sha256').update(token).digest()[0]! % 64) ** 2;
  const body = `# ${token}\n${FILLER.repeat(Math.ceil(length / FILLER.length))}`;
  return Buffer.from(`${body}${hashOf(body)}\n`);
}

/** True for bytes that {@link contentOf} made, whole. */
export function isWhole(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('utf8');
  const body = text.slice(0, -65);
  return text === `${body}${hashOf(body)}\n` && body.startsWith('# ');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
