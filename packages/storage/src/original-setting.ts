/** What `setting.json` said of the mode before a database was first written to: `none` is no such file, `absent` no such key. */
export type OriginalSetting = 'none' | 'absent' | { readonly valueJson: string };

/** The original setting from the JSON text it was kept as; `undefined` when that is none. */
export function originalFrom(text: string): OriginalSetting | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the caller says which file is damaged
  }
  if (value === 'none' || value === 'absent') return value;
  const valueJson = (value as { valueJson?: unknown } | null | undefined)?.valueJson;
  return typeof valueJson === 'string' ? { valueJson } : undefined;
}
