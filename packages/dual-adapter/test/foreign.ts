import { parentPath, type TreePath } from '@deespec/domain';

import type { Disk } from './memory-files.js';
import type { Promises } from './promises.js';

/** Paths of every schedule; what they are changes. */
export const places = ['a', 'd', 'd/x', 'd/y', 'e', 'e/f', 'e/f/g', 'z'] as TreePath[];
export const journals = ['j.ndjson', 'd/k.jsonl'] as TreePath[];

/** Programs that know nothing of us: what they do to the files, without locks and without syncing. */
export class Foreign {
  constructor(
    private readonly disk: Disk,
    private readonly promises: Promises,
  ) {}

  act(): void {
    const { world } = this.disk;
    const path = world.pick(places);
    const dice = world.below(12);
    if (dice < 4) this.write(path);
    else if (dice < 6) this.append(world.pick(journals));
    else if (dice < 7) this.remove(world.chance(0.2) ? world.pick(journals) : path);
    else if (dice < 8) this.makeDirectory(path);
    else if (dice < 9) this.change(path, (node) => (node.mode = node.kind === 'directory' ? 0o700 : 0o600));
    else if (dice < 10) this.change(path, (node) => (node.mtimeNs = BigInt(world.next()) * 1_000_000_000n));
    else this.replaceKind(path);
  }

  private write(path: TreePath): void {
    if (!this.canHold(path)) return;
    const { world, nodes } = this.disk;
    const there = nodes.get(path);
    if (there?.kind === 'directory') return;
    const content = `foreign-${String(world.next()).padStart(6, '0')}`;
    if (there !== undefined) this.promises.supersede(there.bytes.toString('latin1'));
    this.promises.add(content);
    this.touch(path);
    const bytes = Buffer.from(content);
    const isInPlace = there?.kind === 'file' && world.chance(0.5);
    if (isInPlace) Object.assign(there, { bytes, mtimeNs: world.fileTimeNs(), ctimeNs: world.fileTimeNs() });
    else this.disk.put(path, { kind: world.chance(0.1) ? 'symlink' : 'file', mode: 0o644, bytes });
  }

  /** In two writes: the line first, its end with the next line. */
  private append(path: TreePath): void {
    if (!this.canHold(path)) return;
    const { world, nodes } = this.disk;
    const line = `foreign-${world.next()}`;
    const there = nodes.get(path);
    if (there !== undefined && there.kind !== 'file') return;
    this.promises.add(line);
    this.touch(path);
    const before = there?.bytes ?? Buffer.alloc(0);
    const end = before.length === 0 || before.at(-1) === 10 ? '' : '\n';
    const bytes = Buffer.concat([before, Buffer.from(`${end}${line}${world.chance(0.7) ? '\n' : ''}`)]);
    if (there === undefined) this.disk.put(path, { kind: 'file', mode: 0o644, bytes });
    else Object.assign(there, { bytes, mtimeNs: world.fileTimeNs(), ctimeNs: world.fileTimeNs() });
  }

  private remove(path: TreePath): void {
    for (const each of [...this.disk.below(path), path]) {
      const node = this.disk.nodes.get(each);
      if (node === undefined) continue;
      this.promises.supersede(node.bytes.toString('latin1'));
      this.touch(each);
      this.disk.remove(each);
    }
  }

  private makeDirectory(path: TreePath): void {
    if (!this.canHold(path) || this.disk.nodes.has(path)) return;
    this.touch(path);
    this.disk.put(path, { kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) });
  }

  private replaceKind(path: TreePath): void {
    const was = this.disk.nodes.get(path)?.kind;
    this.remove(path);
    if (was === 'directory') this.write(path);
    else this.makeDirectory(path);
  }

  private change(
    path: TreePath,
    work: (node: { kind: string; mode: number; mtimeNs: bigint }) => void,
  ): void {
    const node = this.disk.nodes.get(path);
    if (node === undefined) return;
    this.touch(path);
    work(node);
    node.ctimeNs = this.disk.world.fileTimeNs();
  }

  private touch(path: TreePath): void {
    this.promises.touch(path);
    this.disk.world.story.push(`foreign change of ${path}`);
    this.disk.unsynced.delete(path);
  }

  private canHold(path: TreePath): boolean {
    return !path.includes('/') || this.disk.nodes.get(parentPath(path) as TreePath)?.kind === 'directory';
  }
}
