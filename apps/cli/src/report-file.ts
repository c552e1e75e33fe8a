import { closeSync, lstatSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { StorageError } from '@deespec/domain';
import { safeText } from './safe-text.js';

/** The option that named the file. */
export type ReportOption = '--report' | '--output';

/**
 * Proves that a report can be written to `path` before the work begins; creates the file when it is not there. An
 * existing report stays until {@link writeReport}.
 *
 * @throws StorageError `USAGE.INVALID` for a path inside the tree, which the report would change; `FILE.PERMISSION`,
 *   `FILE.NO_SPACE`, `FILE.WRITE_FAILED`
 */
export function prepareReport(path: string, home: string, option: ReportOption = '--report'): void {
  const target = attempt({ path, option }, () => realTarget(path));
  const tree = attempt({ path, option }, () => realpathSync(home));
  if (target === tree || target.startsWith(tree + sep)) {
    throw new StorageError('USAGE.INVALID', `the report would change the tree: ${safeText(path)}`, {
      hint: `give ${option} a path outside the .deespec directory`,
      details: { path },
    });
  }
  const links = lstatSync(path, { throwIfNoEntry: false });
  if (links !== undefined && (!links.isFile() || links.nlink > 1)) {
    throw new StorageError('USAGE.INVALID', `the report has other names, or is no file: ${safeText(path)}`, {
      hint: `give ${option} a new path, or a plain file that may be replaced`,
      details: { path },
    });
  }
  attempt({ path, option }, () => closeSync(openSync(path, 'a')));
}

/** Writes the report, replacing what stands there. @throws StorageError as {@link prepareReport} */
export function writeReport(path: string, document: string, option: ReportOption = '--report'): void {
  attempt({ path, option }, () => writeFileSync(path, document));
}

function realTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return join(realpathSync(dirname(resolve(path))), basename(path));
  }
}

function attempt<T>(
  { path, option }: { readonly path: string; readonly option: ReportOption },
  work: () => T,
): T {
  try {
    return work();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new StorageError(reportCode(reason), `cannot write the report ${safeText(path)} (${reason})`, {
      hint: `give ${option} a path in a directory that exists and that you may write to`,
      details: { path, reason },
      cause: error,
    });
  }
}

function reportCode(reason: string): 'FILE.PERMISSION' | 'FILE.NO_SPACE' | 'FILE.WRITE_FAILED' {
  if (reason === 'EACCES' || reason === 'EPERM' || reason === 'EROFS') return 'FILE.PERMISSION';
  return reason === 'ENOSPC' || reason === 'EDQUOT' ? 'FILE.NO_SPACE' : 'FILE.WRITE_FAILED';
}
