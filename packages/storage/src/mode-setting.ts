import {
  isStorageError,
  pathFromText,
  putIf,
  timeFromNs,
  type ConfigEntry,
  type StorageMode,
  type TreeReader,
  type TreeStore,
} from '@deespec/domain';
import { Overlay, readSettingMode, removeJsonKey, setJsonKey } from '@deespec/layout';
import { checks } from '@deespec/validators';

import type { OriginalSetting } from './original-setting.js';
import type { SyncStores } from './sync.js';

/** The file that asks for a mode. */
export const SETTING = pathFromText('setting.json');

/** What a hand edit had lost. */
export interface RestoredSetting {
  /** Names of the keys that were put back. */
  readonly keys: readonly string[];
  /** The edited file, kept as a conflict; absent when there was none. */
  readonly kept?: string;
}

/** What a stored tree says of the mode. */
export function originalOf(tree: TreeReader): OriginalSetting {
  const bytes = contentOf(tree);
  if (bytes === undefined) return 'none';
  const value = readSettingMode(bytes);
  return value === undefined ? 'absent' : { valueJson: JSON.stringify(value) };
}

/**
 * Names a mode in `setting.json`; every other byte of it stays. In mode `file` it says again what it said originally.
 *
 * @throws StorageError `LAYOUT.MALFORMED`, `FILE.*`
 */
export async function nameMode(
  files: TreeStore,
  mode: StorageMode,
  original: OriginalSetting,
): Promise<void> {
  const bytes = contentOf(files);
  const wanted = settingWith(bytes, mode, original);
  if (wanted === undefined && bytes !== undefined) {
    await files.edit((tree) => ({
      edits: [{ op: 'remove', path: SETTING, expected: tree.find(SETTING)!.sha256 }],
    }));
  } else if (wanted !== undefined && (bytes === undefined || !wanted.equals(bytes))) {
    await putSetting(files, wanted);
  }
}

function settingWith(
  bytes: Buffer | undefined,
  mode: StorageMode,
  original: OriginalSetting,
): Buffer | undefined {
  if (mode !== 'file') return setJsonKey(bytes ?? EMPTY, ['storage_mode'], JSON.stringify(mode));
  if (typeof original === 'object') return setJsonKey(bytes ?? EMPTY, ['storage_mode'], original.valueJson);
  if (bytes === undefined) return undefined;
  const without = removeJsonKey(bytes, ['storage_mode']);
  return original === 'none' && /^\{\s*\}\s*$/u.test(without.toString('latin1')) ? undefined : without;
}

const EMPTY = Buffer.from('{\n}\n');

/**
 * Puts back what somebody's edit of `setting.json` lost: keys that the database knows and the file has no more. What the edit
 * changed stays changed; the edited file is kept.
 */
export async function restoreSetting({ files, ledger }: SyncStores): Promise<RestoredSetting | undefined> {
  const [known, found] = [await settingsOf(ledger), await settingsOf(files)];
  const names = new Set(found.map(({ key }) => key));
  const lost = known.filter(({ key }) => !names.has(key) && key !== 'setting.storage_mode');
  if (lost.length === 0) return undefined;
  const kept = keepEdited(files);
  let bytes = contentOf(ledger)!;
  for (const { key, valueJson } of found) bytes = setJsonKey(bytes, [nameOf(key)], valueJson);
  await putSetting(files, bytes);
  return { keys: lost.map(({ key }) => nameOf(key)), ...(kept === undefined ? {} : { kept }) };
}

function keepEdited(files: SyncStores['files']): string | undefined {
  const entry = files.find(SETTING);
  if (entry === undefined) return undefined;
  const reason = 'an edit by hand that lost settings the database knows';
  const at = timeFromNs(BigInt(Date.now()) * 1_000_000n);
  const { path, kind, mode, mtimeNs, size, sha256 } = entry;
  const kept = { path, kind, mode, mtimeNs, size, sha256, store: 'files', at, reason } as const;
  return files.keepConflict(kept, files.read(SETTING));
}

async function settingsOf(store: TreeStore): Promise<readonly ConfigEntry[]> {
  return store.look((tree) => {
    const overlay = new Overlay(tree, { checks, now: timeFromNs(0n) });
    return overlay.config().filter(({ key }) => key.startsWith('setting.'));
  });
}

function nameOf(key: string): string {
  return key.slice('setting.'.length);
}

async function putSetting(files: TreeStore, bytes: Buffer): Promise<void> {
  const present = files.find(SETTING);
  const version = { path: SETTING, kind: 'file', mode: present?.mode ?? 0o644, bytes } as const;
  await putIf(files, version, present?.sha256);
}

function contentOf(tree: TreeReader): Buffer | undefined {
  try {
    return Buffer.concat([...tree.read(SETTING)]);
  } catch (error) {
    if (isStorageError(error, 'FILE.NOT_FOUND')) return undefined;
    throw error;
  }
}
