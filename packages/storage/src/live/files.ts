import {
  displayPath,
  StorageError,
  type SbiFile,
  type SbiId,
  type TreeStat,
  type TreeStore,
  type TreeView,
} from '@deespec/domain';

/** Up to this size, bytes, a file is read at one moment; a larger one a piece after the other, while the tree goes on. */
const AT_ONCE = 4_194_304;

/** Files and symlinks below the directories of an SBI, in scan order. */
export function filesOf(view: TreeView, id: SbiId): readonly TreeStat[] {
  return view.entriesOf(id).filter(({ kind }) => kind !== 'directory');
}

/** See `Storage.readFile`. */
export async function readFile(
  tree: TreeStore,
  { sbiId, path }: SbiFile,
  take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const small = await tree.look((view) => {
    const stat = filesOf(view, sbiId).find((file) => file.path === path);
    if (stat === undefined) throw noSuchFile(sbiId, path);
    // A copy of each: a reader may fill its chunk again.
    return stat.size > AT_ONCE ? undefined : [...view.read(path)].map((chunk) => Buffer.from(chunk));
  });
  for (const chunk of small ?? tree.read(path)) await take(chunk);
}

function noSuchFile(sbiId: SbiId, path: SbiFile['path']): StorageError {
  return new StorageError('FILE.NOT_FOUND', `${displayPath(path)} is no file of ${sbiId}`, {
    hint: 'list its files again',
    details: { sbiId, path: displayPath(path) },
  });
}
