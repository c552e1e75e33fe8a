import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './support.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * A copy of the built program as a package manager lays it out, for tests that damage it: packages of this repository are
 * copied, those of others linked, and better-sqlite3 is copied without its compiled part.
 *
 * @returns the launcher, and where the compiled part belongs; `better-sqlite3` is the directory of that package
 */
export function installCopy(): { launcher: string; sqlite: string } {
  const modules = join(temporaryDirectory(), 'node_modules');
  const install = (name: string, folder: string): void => {
    const target = join(modules, name);
    if (existsSync(target)) return;
    mkdirSync(target, { recursive: true });
    for (const part of ['bin', 'dist', 'migrations', 'package.json']) {
      if (existsSync(join(folder, part))) cpSync(join(folder, part), join(target, part), { recursive: true });
    }
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    for (const dependency of Object.keys(manifest.dependencies ?? {})) {
      const real = realpathSync(join(folder, 'node_modules', dependency));
      if (dependency.startsWith('@deespec/')) install(dependency, real);
      else link(modules, dependency, real);
    }
  };
  install('@deespec/cli', join(repository, 'apps/cli'));
  return { launcher: join(modules, '@deespec/cli/bin/deespec.js'), sqlite: join(modules, 'better-sqlite3') };
}

function link(modules: string, name: string, real: string): void {
  const target = join(modules, name);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  if (name !== 'better-sqlite3') return symlinkSync(real, target);
  mkdirSync(target);
  for (const part of ['lib', 'package.json'])
    cpSync(join(real, part), join(target, part), { recursive: true });
  for (const needed of ['bindings', 'file-uri-to-path'])
    symlinkSync(
      realpathSync(join(realpathSync(join(real, '../bindings')), '..', needed)),
      join(modules, needed),
    );
}
