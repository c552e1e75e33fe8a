import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';

import { cutPower, runs } from './capabilities.js';
import { killStrays } from './product.js';

/** Room for a tree, its database and what the preflight wants free. */
const IMAGE_SIZE = '64M';

/** An ext4 file system in a file: its power can be cut. */
export interface Disk {
  readonly image: string;
  /** Where it is mounted. */
  readonly mount: string;
}

/** Makes a fresh file system, runs `work` with it mounted, and takes it away. */
export async function onDisk<T>(directory: string, work: (disk: Disk) => Promise<T>): Promise<T> {
  const disk = { image: `${directory}.image`, mount: directory };
  mkdirSync(disk.mount, { recursive: true });
  execFileSync('truncate', ['-s', IMAGE_SIZE, disk.image]);
  execFileSync('mkfs.ext4', ['-qF', disk.image]);
  mountDisk(disk);
  try {
    return await work(disk);
  } finally {
    killStrays(disk.mount);
    unmountDisk(disk);
    rmSync(disk.image);
  }
}

export function mountDisk({ image, mount }: Disk): void {
  execFileSync('mount', ['-o', 'loop', image, mount]);
}

export function unmountDisk({ mount }: Disk): void {
  // A process that was just killed holds its files for a moment longer.
  for (let attempt = 1; attempt < 50; attempt += 1) {
    if (runs('umount', [mount])) return;
    execFileSync('sleep', ['0.1']);
  }
  execFileSync('umount', ['-l', mount]);
}

/** Takes the power from a disk, and ends who worked on it. @throws Error when it cannot be shut down */
export function cut({ mount }: Disk): void {
  if (!cutPower(mount)) throw new Error(`${mount} cannot be shut down`);
  killStrays(mount);
}
