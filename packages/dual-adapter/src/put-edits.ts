import { CHUNK_BYTES, type Ledger, type TreeEdit, type TreeEntry, type TreeVersion } from '@deespec/domain';

import type { DiskEntry } from './decide.js';
import { verified } from './observe.js';

/**
 * The edits that put the database's entry where `file` stands, one list for each change of the files. A file's content is
 * streamed and fails with `FILE.CHANGED` when the database holds another one by then: nothing is replaced then.
 *
 * A directory and what is none do not replace one another: the one is removed first, in the same change while the content is
 * at most 1 MiB.
 */
export function putEdits(ledger: Ledger, entry: TreeEntry, file: DiskEntry | undefined): TreeEdit[][] {
  const { path } = entry;
  const isReplaced = file === undefined || (file.kind === 'directory') === (entry.kind === 'directory');
  if (isReplaced) {
    const version = entry.kind === 'file' ? streamed(ledger, entry) : whole(ledger, entry);
    return [[{ ...put, version, expected: file?.sha256 }]];
  }
  const removal = { op: 'remove', path, expected: file.sha256 } as const;
  if (entry.size > CHUNK_BYTES) {
    return [[removal], [{ ...put, version: streamed(ledger, entry), expected: undefined }]];
  }
  return [[removal, { ...put, version: whole(ledger, entry), expected: undefined }]];
}

const put = { op: 'put', isProjection: true } as const;

function streamed(ledger: Ledger, entry: TreeEntry): TreeVersion {
  const { size, sha256 } = entry;
  const open = (): Iterable<Buffer> => verified(ledger.read(entry.path), entry, 'FILE.CHANGED');
  return { ...versionOf(entry), bytes: { size, sha256, open } };
}

function whole(ledger: Ledger, entry: TreeEntry): TreeVersion {
  const bytes =
    entry.kind === 'directory'
      ? Buffer.alloc(0)
      : Buffer.concat([...verified(ledger.read(entry.path), entry, 'FILE.CHANGED')]);
  return { ...versionOf(entry), bytes };
}

function versionOf({ path, kind, mode, mtimeNs }: TreeEntry): Omit<TreeVersion, 'bytes'> {
  return { path, kind, mode, mtimeNs };
}
