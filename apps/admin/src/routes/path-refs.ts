import type { TreePath } from '@deespec/domain';
import { createHmac, randomBytes } from 'node:crypto';

/** Paths that are remembered; the ones given longest ago are forgotten first. */
const MOST = 20_000;

/** Names for paths that were shown: a client can ask for those, and cannot name a path of its own. */
export class PathRefs {
  private readonly key = randomBytes(32);
  private readonly paths = new Map<string, TreePath>();

  /** The name of a path: the same while this object lives. */
  give(path: TreePath): string {
    const ref = createHmac('sha256', this.key).update(path, 'latin1').digest('hex').slice(0, 32);
    this.paths.delete(ref);
    this.paths.set(ref, path);
    if (this.paths.size > MOST) this.paths.delete(this.paths.keys().next().value!);
    return ref;
  }

  find(ref: string): TreePath | undefined {
    return this.paths.get(ref);
  }
}
