import { parseMode, StorageError, type StorageMode } from '@deespec/domain';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { readEpoch } from './epoch-file.js';
import type { HomePaths } from './home.js';
import { readModeChange } from './mode-change.js';
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
 * The mode in force. A mode in `setting.json` is a request: while it is another one, nothing but `mode set` and `start` works.
 *
 * @throws StorageError `MODE.NOT_GRANTED`, `RUN.UNFINISHED` in the middle of an exchange of the files, and those of
 *   {@link requestedMode}
 */
export async function grantedMode(paths: HomePaths): Promise<StorageMode> {
  const granted = readEpoch(paths)?.mode ?? 'file';
  if (existsSync(paths.exchange)) {
    throw new StorageError(
      'RUN.UNFINISHED',
      'the files were being exchanged for new ones, which was cut off',
      {
        hint: 'finish it with the command that did it: deespec rollback, or deespec mode set <mode>',
        details: { exchange: paths.exchange },
      },
    );
  }
  const change = readModeChange(paths);
  if (change !== undefined) {
    throw new StorageError('MODE.NOT_GRANTED', `a change of mode to ${change.to} was interrupted`, {
      hint: `finish it: deespec mode set ${change.to}`,
      details: { granted, to: change.to },
    });
  }
  const requested = await requestedMode(paths);
  if (requested === granted) return granted;
  throw new StorageError(
    'MODE.NOT_GRANTED',
    `setting.json asks for storage_mode ${requested}; the mode in force is ${granted}`,
    {
      hint: `grant it: deespec mode set ${requested}; or keep what is: deespec mode set ${granted}`,
      details: { requested, granted },
    },
  );
}

/** Requires one of these modes. @throws StorageError `MODE.REFUSED`, and those of {@link grantedMode} */
export async function requireMode(
  paths: HomePaths,
  modes: readonly StorageMode[],
  { command, hint }: { readonly command: string; readonly hint: string },
): Promise<StorageMode> {
  const mode = await grantedMode(paths);
  if (modes.includes(mode)) return mode;
  throw new StorageError('MODE.REFUSED', `${command} does not work in mode ${mode}`, {
    hint,
    details: { mode, modes },
  });
}
