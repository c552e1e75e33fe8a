import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a suite may need of the machine. */
export type Capability = 'strace' | 'root' | 'mount' | 'loop' | 'cgroup';

const probes: Readonly<Record<Capability, () => string | undefined>> = {
  strace: () => (runs('strace', ['-qq', '-o', '/dev/null', 'true']) ? undefined : 'strace does not run here'),
  root: () => (process.getuid?.() === 0 ? undefined : 'it needs root'),
  mount: probeMount,
  loop: () => (existsSync('/dev/loop-control') ? probePowerCut() : 'there are no loop devices'),
  cgroup: () =>
    existsSync('/sys/fs/cgroup/memory/tasks') ? undefined : 'there is no memory cgroup (version 1)',
};

const known = new Map<Capability, string | undefined>();

/** Why the machine cannot do it, or `undefined` when it can. Tried once per process, for real. */
export function whyNot(capability: Capability): string | undefined {
  if (!known.has(capability)) known.set(capability, probes[capability]());
  return known.get(capability);
}

/** True when `file` starts and exits with 0. */
export function runs(file: string, args: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function probeMount(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-probe-'));
  try {
    if (!runs('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'deespec-probe', directory]))
      return 'mounting is not allowed';
    runs('umount', [directory]);
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Makes, mounts, shuts down and unmounts a small ext4, as the power-cut suite does. */
function probePowerCut(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-probe-'));
  const image = join(directory, 'image');
  const place = join(directory, 'place');
  try {
    mkdirSync(place);
    if (!runs('truncate', ['-s', '8M', image]) || !runs('mkfs.ext4', ['-qF', image]))
      return 'there is no mkfs.ext4';
    if (!runs('mount', ['-o', 'loop', image, place])) return 'loop devices cannot be mounted';
    const isCut = cutPower(place);
    runs('umount', [place]);
    return isCut ? undefined : 'the file system cannot be shut down';
  } finally {
    if (!isMounted(place, directory)) rmSync(directory, { recursive: true, force: true });
  }
}

function isMounted(place: string, parent: string): boolean {
  return existsSync(place) && statSync(place).dev !== statSync(parent).dev;
}

const shutdown = '$f = pack("L", 2); sysopen(D, $ARGV[0], 0) or die $!; ioctl(D, 0x8004587d, $f) or die $!';

/**
 * Shuts the file system at `place` down as a power cut would: nothing that is not durable is written any more, not even the
 * file system's own journal. Node has no `ioctl`, Perl is part of every Debian.
 *
 * Source: ioctl `FS_IOC_SHUTDOWN` with `FS_SHUTDOWN_FLAGS_NOLOGFLUSH`, linux/fs/ext4/ioctl.c.
 */
export function cutPower(place: string): boolean {
  return runs('perl', ['-e', shutdown, place]);
}
