import { parseMode, StorageError, type StorageMode } from '@deespec/domain';
import { join } from 'node:path';

import type { HomePaths } from './home.js';
import { readRegular } from './read-regular.js';

/**
 * The mode that `setting.json` asks for; `file` when there is no such file or key.
 *
 * @throws StorageError `MODE.UNKNOWN`; `LAYOUT.MALFORMED` when the file cannot be read as JSON: a mode is never guessed
 */
export async function requestedMode(paths: HomePaths): Promise<StorageMode> {
  const bytes = readRegular(join(paths.home, 'setting.json'));
  if (bytes === undefined) return 'file';
  if (saysNothing(bytes)) return 'file';
  // The strict reader brings a YAML parser along; a tree without the key does not pay for it.
  const { readSettingMode } = await import('@deespec/layout');
  return parseMode(readSettingMode(bytes));
}

/** True for an object without the key. Whatever else there is, the strict reader judges. */
function saysNothing(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return (
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      !Object.hasOwn(value, 'storage_mode')
    );
  } catch {
    return false;
  }
}

/**
 * The mode in force. A mode in `setting.json` is a request until it is granted; this version grants none but `file`.
 *
 * @throws StorageError `MODE.NOT_GRANTED`, and those of {@link requestedMode}
 */
export async function grantedMode(paths: HomePaths): Promise<StorageMode> {
  const mode = await requestedMode(paths);
  if (mode === 'file') return mode;
  throw new StorageError(
    'MODE.NOT_GRANTED',
    `setting.json asks for storage_mode ${mode}, which this version cannot grant`,
    {
      hint: 'set storage_mode in setting.json back to "file"; nothing was changed',
      details: { requested: mode, granted: 'file' },
    },
  );
}
