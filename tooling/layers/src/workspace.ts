import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** One broken rule. `where` is relative to the repository's root. */
export interface Violation {
  readonly rule: string;
  readonly where: string;
  readonly what: string;
}

/** The fields of a package.json that the rules read. */
export interface Manifest {
  readonly name?: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: unknown;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A package of the workspace. */
export interface WorkspacePackage {
  readonly group: 'packages' | 'apps' | 'tooling';
  /** Folder name, which is also its name behind `@deespec/`. */
  readonly folder: string;
  /** Path relative to the root. */
  readonly path: string;
  readonly manifest: Manifest;
}

const groups = ['packages', 'apps', 'tooling'] as const;

/** Every package of the workspace at `root`, in path order; a group without a directory has none. */
export function listPackages(root: string): WorkspacePackage[] {
  return groups.flatMap((group) => {
    if (statSync(join(root, group), { throwIfNoEntry: false }) === undefined) return [];
    return readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && hasManifest(join(root, group, entry.name)))
      .map((entry) => entry.name)
      .sort()
      .map((folder) => {
        const path = `${group}/${folder}`;
        return { group, folder, path, manifest: readManifest(join(root, path)) };
      });
  });
}

/** Folder names of the `@deespec` packages that a manifest's section names. */
export function workspaceNames(section: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(section ?? {})
    .filter((name) => name.startsWith('@deespec/'))
    .map((name) => name.slice('@deespec/'.length));
}

function hasManifest(directory: string): boolean {
  return statSync(join(directory, 'package.json'), { throwIfNoEntry: false }) !== undefined;
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}
