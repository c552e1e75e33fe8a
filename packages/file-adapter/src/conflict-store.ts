import { StorageError, type Conflict, type TreePath } from '@deespec/domain';

import { readError, writeError } from './file-error.js';
import { freshId, isId, OwnArea, STORAGE } from './own-area.js';
import { readEntry } from './read-entry.js';
import { parseRecord, textOfPath, UTC_TIME, type RecordFields } from './record-json.js';

const PLACE = `${STORAGE}/conflicts`;
const TRASH = `${STORAGE}/trash`;
const MOST_ABOUT_BYTES = 65_536;

/**
 * Versions that another one took the place of: a directory each, with the bytes in `content` and what is known in
 * `about.json`, which comes last. A directory without it is what a crash left, and no conflict. They stand outside the database,
 * so that they survive it.
 */
export class ConflictStore {
  constructor(private readonly area: OwnArea) {}

  /** As `ProjectedFiles.keepConflict`. @throws StorageError `FILE.NO_SPACE`, `FILE.PERMISSION`, `FILE.WRITE_FAILED` */
  keep(conflict: Omit<Conflict, 'id'>, content: Iterable<Buffer>): string {
    return this.#writing(conflict.path, () => {
      this.area.ensure(PLACE);
      const id = freshId(this.area.names(PLACE).filter(isId).at(-1));
      const place = `${PLACE}/${id}`;
      this.area.ensure(place);
      this.area.write(`${place}/content`, content);
      const about = { ...conflict, path: textOfPath(conflict.path), mtimeNs: conflict.mtimeNs.toString() };
      this.area.write(`${place}/about.json`, [Buffer.from(`${JSON.stringify(about)}\n`)]);
      this.area.sync(place);
      return id;
    });
  }

  /** Oldest first. @throws StorageError `FILE.READ_FAILED`, `FILE.PERMISSION`, `TREE.PATH_UNSAFE` */
  list(): readonly Conflict[] {
    return this.#reading(PLACE, () => this.area.names(PLACE)).flatMap((id) => this.#find(id) ?? []);
  }

  /** The bytes in chunks of at most 1 MiB. @throws StorageError `CONFLICT.NOT_FOUND` */
  read(id: string): Iterable<Buffer> {
    this.#require(id);
    return readEntry(this.area.root, `${PLACE}/${id}/content` as TreePath);
  }

  /** Moves a conflict to the trash. @throws StorageError `CONFLICT.NOT_FOUND` */
  drop(id: string): void {
    const { path } = this.#require(id);
    const { root } = this.area;
    this.#writing(path, () => {
      this.area.ensure(TRASH);
      root.system.renameSync(root.at(`${PLACE}/${id}`), root.at(`${TRASH}/conflict-${id}`));
      this.area.sync(TRASH);
      this.area.sync(PLACE);
    });
  }

  /** As `ProjectedFiles.keepRemoved`. @throws StorageError `FILE.NO_SPACE`, `FILE.PERMISSION`, `FILE.WRITE_FAILED` */
  keepRemoved(path: TreePath, content: Iterable<Buffer>): void {
    this.#writing(path, () => {
      const place = `${TRASH}/${freshId()}`;
      this.area.ensure(place);
      this.area.write(`${place}/content`, content);
      this.area.write(`${place}/path`, [Buffer.from(`${textOfPath(path)}\n`)]);
      this.area.sync(place);
    });
  }

  #require(id: string): Conflict {
    const found = this.#find(id);
    if (found !== undefined) return found;
    throw new StorageError('CONFLICT.NOT_FOUND', `no conflict has the id ${JSON.stringify(id)}`, {
      hint: '"deespec conflict list" shows those that exist',
      details: { id },
    });
  }

  #find(id: string): Conflict | undefined {
    if (!isId(id)) return undefined;
    const place = `${PLACE}/${id}`;
    const bytes = this.#reading(place, () => this.area.read(`${place}/about.json`, MOST_ABOUT_BYTES));
    if (bytes === undefined) return undefined;
    return parseRecord(bytes.toString('utf8'), (fields) => ({ id, ...readAbout(fields) }));
  }

  #reading<T>(place: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw readError(error, place);
    }
  }

  #writing<T>(path: TreePath, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw writeError(error, path, 'before');
    }
  }
}

function readAbout(fields: RecordFields): Omit<Conflict, 'id'> {
  return {
    path: fields.path('path'),
    store: fields.matching('store', /^(?:files|sqlite)$/u) as Conflict['store'],
    at: fields.matching('at', UTC_TIME),
    kind: fields.kind('kind'),
    mode: fields.mode('mode'),
    mtimeNs: fields.nanoseconds('mtimeNs'),
    size: fields.whole('size'),
    sha256: fields.matching('sha256', /^(?:[0-9a-f]{64})?$/u),
    ...(fields.has('keptSha256')
      ? { keptSha256: fields.matching('keptSha256', /^(?:[0-9a-f]{64})?$/u) }
      : {}),
    reason: fields.text('reason'),
  };
}
