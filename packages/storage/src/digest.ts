import { displayPath } from '@deespec/domain';
import { digestTree } from '@deespec/verifier';

import type { DigestReport, Progress } from './reports.js';

/** What {@link digest} takes. */
export interface DigestRequest {
  readonly directory: string;
  /** Gets each line of the manifest, in order, without its newline. */
  readonly onLine?: (line: Buffer) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** The digest of a tree, by the verifier's code. Source: docs/digest.md. @throws StorageError see `digestTree` */
export async function digest({
  directory,
  onLine,
  onProgress,
  signal,
}: DigestRequest): Promise<DigestReport> {
  const result = await digestTree(directory, {
    onLine,
    onProgress: ({ doneBytes, doneEntries }) => onProgress?.({ phase: 'scan', doneBytes, doneEntries }),
    signal,
  });
  const { digest: value, files, directories, symlinks, bytes, ignored } = result;
  return {
    directory,
    digest: value,
    files,
    directories,
    symlinks,
    bytes,
    ignored: ignored.map(({ path }) => displayPath(path)),
  };
}
