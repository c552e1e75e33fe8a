import type { ConfigEntry, Sbi, StoredConfig, StoredSbi } from '@deespec/domain';
import { createHash } from 'node:crypto';

/** An SBI with the name of its version. */
export function storedSbi(sbi: Sbi): StoredSbi {
  return { ...sbi, revision: revisionOf(sbi) };
}

/** A setting with the name of its version. */
export function storedConfig(entry: ConfigEntry): StoredConfig {
  return { ...entry, revision: revisionOf(entry.valueJson) };
}

/** The same for values that say the same, in whatever order their keys are and whatever store they come from. */
function revisionOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, inKeyOrder)).digest('hex').slice(0, 32);
}

function inKeyOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
