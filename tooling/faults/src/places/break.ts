import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Puts right what was broken. */
export type Mend = () => void;

/** A mount of `directory` onto itself that nobody can write through. */
export function readOnly(directory: string): Mend {
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['-o', 'remount,ro,bind', directory]);
  return () => void execFileSync('umount', [directory]);
}

/** Sets an attribute of the file system: `i` nobody may change it, `a` it may only grow. Source: chattr(1). */
export function attribute(flag: 'i' | 'a', path: string): Mend {
  execFileSync('chattr', [`+${flag}`, path]);
  return () => void execFileSync('chattr', [`-${flag}`, path]);
}

/** Gives a directory, and everything in it, to another user. */
export function owner(path: string, uid: number): Mend {
  const { uid: before } = lstatSync(path);
  execFileSync('chown', ['-hR', `${uid}`, path]);
  return () => void execFileSync('chown', ['-hR', `${before}`, path]);
}

/** Puts a directory, or a file, where something else belongs; what stood there is kept aside. */
export function instead(kind: 'directory' | 'file', path: string): Mend {
  const aside = `${path}.aside-of-the-test`;
  const stood = existsSync(path);
  if (stood) renameSync(path, aside);
  if (kind === 'directory') mkdirSync(path);
  else writeFileSync(path, 'a file\n');
  return () => {
    rmSync(path, { recursive: true });
    if (stood) renameSync(aside, path);
  };
}
