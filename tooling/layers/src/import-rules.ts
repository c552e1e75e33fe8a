import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { cruise, type ICruiseResult, type IDependency } from 'dependency-cruiser';
import { layerTable, technologyHomes } from './layer-table.js';
import { listPackages, type Violation, type WorkspacePackage } from './workspace.js';

/**
 * Every import in the `src` of packages and apps: declared, from a lower layer, through the package's one export,
 * without cycles, and technologies only where the layer table has them. Type-only imports count.
 */
export async function checkImports(root: string): Promise<Violation[]> {
  const packages = listPackages(root).filter((one) => one.group !== 'tooling');
  const sources = packages.map((one) => `${one.path}/src`).filter((path) => existsSync(join(root, path)));
  if (sources.length === 0) return [];
  const result = await cruise(sources, {
    baseDir: root,
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    validate: true,
    ruleSet: { forbidden: [{ name: 'cycle', severity: 'error', from: {}, to: { circular: true } }] },
  });
  const { modules } = result.output as ICruiseResult;
  return modules.flatMap((module) => {
    const owner = packages.find((one) => module.source.startsWith(`${one.path}/src/`));
    if (owner === undefined) return [];
    const problems = module.dependencies.flatMap((dependency) => importProblems(owner, dependency));
    // a file that imports another twice, once for its types, is told once
    const distinct = new Map(problems.map((problem) => [`${problem.rule} ${problem.what}`, problem]));
    return [...distinct.values()].map((problem) => ({ ...problem, where: module.source }));
  });
}

type Problem = Omit<Violation, 'where'>;

function importProblems(owner: WorkspacePackage, dependency: IDependency): Problem[] {
  const specifier = dependency.module.replace(/^node:/u, '');
  if (specifier.startsWith('.')) return relativeProblems(owner, dependency);
  return [
    ...technologyProblems(owner, specifier),
    ...(isBuiltin(specifier) ? [] : packageProblems(owner, specifier)),
  ];
}

function relativeProblems(owner: WorkspacePackage, dependency: IDependency): Problem[] {
  const problems: Problem[] = [];
  if (dependency.circular)
    problems.push({ rule: 'cycle', what: `is in a cycle with ${dependency.resolved}` });
  if (dependency.couldNotResolve)
    problems.push({ rule: 'unresolved', what: `finds no ${dependency.module}` });
  else if (!posix.normalize(dependency.resolved).startsWith(`${owner.path}/src/`))
    problems.push({ rule: 'outside', what: `reaches out of its package to ${dependency.resolved}` });
  return problems;
}

function technologyProblems(owner: WorkspacePackage, specifier: string): Problem[] {
  const technology = Object.keys(technologyHomes).find(
    (name) => specifier === name || specifier.startsWith(`${name}/`),
  );
  if (technology === undefined || technologyHomes[technology]!.includes(owner.folder)) return [];
  return [{ rule: 'technology', what: `${owner.folder} may not import ${technology}` }];
}

function packageProblems(owner: WorkspacePackage, specifier: string): Problem[] {
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const problems: Problem[] = [];
  if (owner.manifest.dependencies?.[name] === undefined)
    problems.push({ rule: 'undeclared', what: `imports ${name}, which is no dependency of ${owner.folder}` });
  if (!name.startsWith('@deespec/')) return problems;
  const folder = parts[1]!;
  if (specifier !== name) problems.push({ rule: 'deep-import', what: `imports ${specifier}` });
  if (!layerTable[owner.folder]?.mayImport.includes(folder))
    problems.push({ rule: 'layer', what: `${owner.folder} may not import ${folder}` });
  return problems;
}
