import type { AuditNote, AuditRecord } from '@deespec/domain';
import { createHash } from 'node:crypto';

/** `previous` of the first record of a chain. */
export const CHAIN_START = '0'.repeat(64);

/** Fields of a record in the order in which they are hashed; a new one goes to the end. */
const fields = [
  'timestamp',
  'entityType',
  'entityId',
  'action',
  'oldValue',
  'newValue',
  'user',
  'sessionId',
  'requestId',
  'oldHash',
  'newHash',
] as const satisfies readonly (keyof AuditNote)[];

/**
 * The next record of the chain: its hash is the SHA-256 of `previous`, `seq` and every field, as one JSON array, an absent
 * field as `null`. Whoever changes, removes or inserts a record has to change every record after it.
 *
 * @param head - the last record so far; `undefined` begins the chain
 *
 * Source: docs/adr/0013.
 */
export function chainAudit(
  note: AuditNote,
  head: Pick<AuditRecord, 'seq' | 'hash'> | undefined,
): AuditRecord {
  const seq = (head?.seq ?? 0) + 1;
  const previous = head?.hash ?? CHAIN_START;
  return { ...note, seq, previous, hash: hashOf(note, { seq, previous }) };
}

/** True when a record says what it was made with, and follows `before`. */
export function isChained(
  record: AuditRecord,
  before: Pick<AuditRecord, 'seq' | 'hash'> | undefined,
): boolean {
  const { seq, previous, hash } = record;
  if (seq !== (before?.seq ?? 0) + 1 || previous !== (before?.hash ?? CHAIN_START)) return false;
  return hash === hashOf(record, { seq, previous });
}

function hashOf(note: AuditNote, { seq, previous }: Pick<AuditRecord, 'seq' | 'previous'>): string {
  const values = fields.map((field) => note[field] ?? null);
  return createHash('sha256')
    .update(JSON.stringify([previous, seq, ...values]))
    .digest('hex');
}
