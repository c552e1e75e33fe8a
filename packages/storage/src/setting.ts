import { parseMode, StorageError, type StorageMode } from '@deespec/domain';
import { readSettingMode } from '@deespec/layout';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { HomePaths } from './home.js';

/**
 * The mode that `setting.json` asks for; `file` when there is no such file or key.
 *
 * @throws StorageError `MODE.UNKNOWN`; `LAYOUT.MALFORMED` when the file cannot be read as JSON: a mode is never guessed
 */
export function requestedMode(paths: HomePaths): StorageMode {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(paths.home, 'setting.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'file';
    throw new StorageError('FILE.READ_FAILED', `cannot read ${join(paths.home, 'setting.json')}`, {
      cause: error,
    });
  }
  return parseMode(readSettingMode(bytes));
}

/**
 * The mode in force. A mode in `setting.json` is a request until it is granted; this version grants none but `file`.
 *
 * @throws StorageError `MODE.NOT_GRANTED`, and those of {@link requestedMode}
 */
export function grantedMode(paths: HomePaths): StorageMode {
  const mode = requestedMode(paths);
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
