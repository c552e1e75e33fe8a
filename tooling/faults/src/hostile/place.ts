import { execa } from 'execa';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A text that stands outside the tree, where no command may read or write. */
export const CANARY = 'canary-7f3d9b1e: outside of every tree';

/** The id of the n-th SBI, 0 to 99. */
export function sbiId(n: number): string {
  return `SBI-01HZX3J9K2M4N6P8Q0R2S4T6${String(n).padStart(2, '0')}`;
}

/** A path below the directory of the n-th SBI. */
export function sbiPath(n: number, name: string): string {
  return `specs/sbi/${sbiId(n)}/${name}`;
}

/** A directory with a valid tree, an export's target, and canaries beside both. */
export class Place {
  readonly home: string;
  readonly output: string;

  constructor(readonly directory: string) {
    this.home = join(directory, 'project', '.deespec');
    this.output = join(directory, 'out');
    for (const beside of ['canary.txt', 'project/canary.md', 'elsewhere/canary.txt']) {
      mkdirSync(dirname(join(directory, beside)), { recursive: true });
      writeFileSync(join(directory, beside), `${CANARY}\n`);
    }
    this.put('setting.json', '{\n  "storage_mode": "file"\n}\n');
    this.putSbi(0, { 'state.json': '{"status":"WIP","current":"implement","turn":1}\n' });
    this.put(sbiPath(0, 'implement_1.md'), 'text\n');
  }

  /** The path on disk of a path below the tree; bytes for a name that is no text. */
  at(path: string | Buffer): string | Buffer {
    if (typeof path === 'string') return join(this.home, path);
    return Buffer.concat([Buffer.from(`${this.home}/`), path]);
  }

  /** Writes a file below the tree, with its directories. */
  put(path: string | Buffer, content: string | Buffer): void {
    const file = this.at(path);
    const parent = typeof file === 'string' ? dirname(file) : file.subarray(0, file.lastIndexOf(0x2f));
    mkdirSync(parent, { recursive: true });
    writeFileSync(file, content);
  }

  /** An SBI with a spec and the given files. */
  putSbi(n: number, files: Readonly<Record<string, string | Buffer>>): void {
    for (const [name, content] of Object.entries({ 'spec.md': '# spec\n', ...files }))
      this.put(sbiPath(n, name), content);
  }

  /** Makes a symlink below the tree. */
  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.home, path)), { recursive: true });
    symlinkSync(target, join(this.home, path));
  }

  /** Directories below one another in `knowledge/`, and a file in the last, in steps that need no long path. */
  putDeep(depth: number, name: string): void {
    mkdirSync(join(this.home, 'knowledge'), { recursive: true });
    const script = 'for ((i = 0; i < $1; i++)); do mkdir "$2" && cd "$2" || exit 1; done; echo x > bottom.md';
    execFileSync('bash', ['-c', script, 'deep', String(depth), name], { cwd: join(this.home, 'knowledge') });
  }

  /** Every entry outside of the tree and the target, with mode, time and content of files. */
  outside(): string {
    return describe(this.directory, new Set([this.home, this.output])).join('\n');
  }
}

function describe(directory: string, left: ReadonlySet<string>): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (left.has(path)) return [];
    const stat = lstatSync(path, { bigint: true });
    const line = `${stat.mode.toString(8)} ${path}`;
    if (stat.isDirectory()) return [line, ...describe(path, left)];
    return [`${line} ${stat.mtimeNs} ${stat.isFile() ? readFileSync(path, 'latin1') : ''}`];
  });
}

const recipe = /```bash\n(set -euo pipefail\n[\s\S]*?)```/u.exec(
  readFileSync(fileURLToPath(new URL('../../../../docs/digest.md', import.meta.url)), 'utf8'),
)?.[1];

/** The digest of a tree by the recipe of docs/digest.md: `find`, `sha256sum` and `sort`, and nothing of the product. */
export async function shellDigest(directory: string): Promise<string> {
  if (recipe === undefined) throw new Error('docs/digest.md has no recipe');
  const { stdout } = await execa('bash', ['-c', recipe, 'recipe', directory]);
  return stdout;
}

/**
 * What `find` says of every entry of a tree but for what is ours: kind, mode, size, target and path, and with `times` the
 * time of its last change.
 */
export async function listing(directory: string, times?: 'times'): Promise<string> {
  const time = times === undefined ? '' : ' %T@';
  const ours = ['(', '-path', './deespec.db*', '-o', '-path', './.storage', ')', '-prune'];
  const files = ['-type', 'f', '-printf', `f %m %s${time} %P\\0`];
  const args = ['.', '-mindepth', '1', ...ours, '-o', ...files, '-o', '-printf', `%y %m${time} %l %P\\0`];
  const { stdout } = await execa('find', args, { cwd: directory, encoding: 'latin1', maxBuffer: 1 << 28 });
  return stdout.split('\0').sort().join('\n');
}
