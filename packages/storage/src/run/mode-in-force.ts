import type { StorageMode } from '@deespec/domain';

import { readEpoch } from '../epoch-file.js';
import type { HomePaths } from '../home.js';

/** The mode in force, whatever `setting.json` asks for. @throws StorageError `FILE.READ_FAILED` */
export function modeInForce(paths: HomePaths): StorageMode {
  return readEpoch(paths)?.mode ?? 'file';
}
