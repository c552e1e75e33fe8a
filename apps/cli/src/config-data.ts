import type { ConfigEntry } from '@deespec/domain';

/** A setting in a JSON document: `valueJson` is the exact spelling; `value` is convenient and may round a big number. */
export function toConfigData<T extends ConfigEntry>(entry: T) {
  return { ...entry, value: JSON.parse(entry.valueJson) as unknown };
}
