import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layerTable } from './layer-table.js';
import { listPackages, workspaceNames, type Violation, type WorkspacePackage } from './workspace.js';

/** Longest README of a package, in lines: one screen. */
const README_LINES = 60;

/**
 * Dependencies of every package against the layer table: `dependencies` only where the table allows, `devDependencies`
 * only on tooling or on a package that stands no higher, and no cycle over both.
 */
export function checkDependencies(root: string): Violation[] {
  const packages = listPackages(root);
  return [...packages.flatMap(dependencyViolations), ...dependencyCycles(packages)];
}

function dependencyViolations(one: WorkspacePackage): Violation[] {
  if (one.group === 'tooling') return [];
  const own = layerTable[one.folder];
  const where = `${one.path}/package.json`;
  if (own === undefined) return [{ rule: 'layer', where, what: `${one.folder} is not in the layer table` }];
  const runtime = workspaceNames(one.manifest.dependencies)
    .filter((name) => !own.mayImport.includes(name))
    .map((name) => ({ rule: 'layer', where, what: `${one.folder} may not depend on ${name}` }));
  const tests = workspaceNames(one.manifest.devDependencies)
    .filter((name) => (layerTable[name]?.layer ?? 0) > own.layer)
    .map((name) => ({ rule: 'layer', where, what: `the tests of ${one.folder} may not depend on ${name}` }));
  return [...runtime, ...tests];
}

function dependencyCycles(packages: readonly WorkspacePackage[]): Violation[] {
  const edges = new Map(packages.map((one) => [one.folder, allWorkspaceNames(one)]));
  return packages
    .filter((one) => reachable(edges, one.folder).has(one.folder))
    .map((one) => ({
      rule: 'cycle',
      where: `${one.path}/package.json`,
      what: `${one.folder} depends on itself`,
    }));
}

/** Folder names of every workspace package that `folder` needs, directly or not, itself excluded. */
export function dependencyClosure(root: string, folder: string): string[] {
  const edges = new Map(listPackages(root).map((one) => [one.folder, allWorkspaceNames(one)]));
  return [...reachable(edges, folder)].filter((name) => name !== folder).sort();
}

function allWorkspaceNames(one: WorkspacePackage): string[] {
  return [...workspaceNames(one.manifest.dependencies), ...workspaceNames(one.manifest.devDependencies)];
}

function reachable(edges: ReadonlyMap<string, readonly string[]>, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(edges.get(start) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(edges.get(next) ?? []));
  }
  return seen;
}

/** What every package carries: a README of one screen, licence, engines, one export, the list of published files. */
export function checkManifests(root: string): Violation[] {
  return listPackages(root).flatMap((one) => [...readmeViolations(root, one), ...fieldViolations(one)]);
}

function readmeViolations(root: string, one: WorkspacePackage): Violation[] {
  const where = `${one.path}/README.md`;
  if (!existsSync(join(root, where))) return [{ rule: 'readme', where, what: 'is missing' }];
  const lines = readFileSync(join(root, where), 'utf8').trimEnd().split('\n').length;
  return lines <= README_LINES
    ? []
    : [{ rule: 'readme', where, what: `has ${lines} lines; at most ${README_LINES}` }];
}

function fieldViolations(one: WorkspacePackage): Violation[] {
  const { manifest, group, folder, path } = one;
  const wrong: string[] = [];
  if (manifest.name !== `@deespec/${folder}`) wrong.push(`name is not @deespec/${folder}`);
  if (manifest.license !== 'MIT') wrong.push('license is not MIT');
  if (group !== 'tooling' && manifest.engines?.['node'] === undefined) wrong.push('engines.node is missing');
  if (group === 'packages' && JSON.stringify(Object.keys(manifest.exports ?? {})) !== '["."]')
    wrong.push('exports is not only "."');
  if (group !== 'tooling' && (manifest.files ?? []).length === 0) wrong.push('files is missing');
  return wrong.map((what) => ({ rule: 'manifest', where: `${path}/package.json`, what }));
}
