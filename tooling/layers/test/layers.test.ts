import { describe, expect, test } from '@jest/globals';
import {
  checkDependencies,
  checkImports,
  checkManifests,
  layerTable,
  listPackages,
  type Violation,
} from '../src/index.js';
import { manifest, repository, withWorkspace } from './support.js';

const rules = (violations: readonly Violation[]) => violations.map(({ rule, where }) => `${rule} ${where}`);

describe('layer table', () => {
  test('lets a package import only lower layers', () => {
    const wrong = Object.entries(layerTable).flatMap(([name, own]) =>
      own.mayImport
        .filter((other) => (layerTable[other]?.layer ?? Infinity) >= own.layer)
        .map((o) => [name, o]),
    );

    expect(wrong).toEqual([]);
  });

  test('names exactly the packages and apps that exist', () => {
    const folders = listPackages(repository)
      .filter((one) => one.group !== 'tooling')
      .map((one) => one.folder);

    expect(folders.sort()).toEqual(Object.keys(layerTable).sort());
  });
});

describe('dependencies', () => {
  test('hold in this repository', () => {
    expect(checkDependencies(repository)).toEqual([]);
  });

  test('report a package that depends on a peer, on a higher layer or on tooling', async () => {
    const dependsOn = (...names: string[]) => ({
      dependencies: Object.fromEntries(names.map((name) => [`@deespec/${name}`, 'workspace:*'])),
    });

    const found = await withWorkspace(
      {
        'packages/domain/package.json': manifest('domain', dependsOn('layout')),
        'packages/layout/package.json': manifest('layout', dependsOn('validators')),
        'packages/validators/package.json': manifest('validators', dependsOn('trees')),
        'packages/stray/package.json': manifest('stray'),
        'tooling/trees/package.json': manifest('trees'),
      },
      checkDependencies,
    );

    expect(found.map((one) => one.what)).toEqual([
      'domain may not depend on layout',
      'layout may not depend on validators',
      'stray is not in the layer table',
      'validators may not depend on trees',
    ]);
  });

  test('allow tests a peer, but no higher layer and no cycle', async () => {
    const found = await withWorkspace(
      {
        'packages/layout/package.json': manifest('layout', {
          devDependencies: { '@deespec/validators': '*', '@deespec/storage': '*' },
        }),
        'packages/validators/package.json': manifest('validators', {
          devDependencies: { '@deespec/layout': '*' },
        }),
      },
      checkDependencies,
    );

    expect(found.map((one) => one.what)).toEqual([
      'the tests of layout may not depend on storage',
      'layout depends on itself',
      'validators depends on itself',
    ]);
  });
});

describe('imports', () => {
  test('hold in this repository', async () => {
    expect(await checkImports(repository)).toEqual([]);
  });

  test.each([
    ['layout', "import type { X } from '@deespec/validators';", ['undeclared', 'layer']],
    ['layout', "import { X } from '@deespec/domain/dist/sbi.js';", ['deep-import']],
    ['layout', "export { parse } from 'yaml';", ['undeclared']],
    ['layout', "import { readFileSync } from 'node:fs';", ['technology']],
    ['layout', "const fs = await import('fs/promises');", ['technology']],
    ['layout', "import { X } from './absent.js';", ['unresolved']],
    ['layout', "import { X } from '../../domain/src/sbi.js';", ['outside']],
    ['layout', "import { IsInt } from 'class-validator';", ['technology', 'undeclared']],
    ['storage', "import { DataSource } from 'typeorm';", ['technology', 'undeclared']],
    ['file-adapter', "import Database from 'better-sqlite3';", ['technology', 'undeclared']],
    ['layout', "import { createHash } from 'node:crypto';\nimport { X } from '@deespec/domain';", []],
  ])('of %s: %s', async (folder, source, expected) => {
    const found = await withWorkspace(
      {
        'packages/domain/package.json': manifest('domain'),
        'packages/domain/src/sbi.ts': 'export const X = 1;',
        [`packages/${folder}/package.json`]: manifest(folder, { dependencies: { '@deespec/domain': '*' } }),
        [`packages/${folder}/src/seeded.ts`]: source,
      },
      checkImports,
    );

    expect(rules(found)).toEqual(expected.map((rule) => `${rule} packages/${folder}/src/seeded.ts`));
  });

  test('report a cycle of types', async () => {
    const found = await withWorkspace(
      {
        'packages/domain/package.json': manifest('domain'),
        'packages/domain/src/a.ts': "import type { B } from './b.js';\nexport type A = B[];",
        'packages/domain/src/b.ts': "import type { A } from './a.js';\nexport type B = A | 1;",
      },
      checkImports,
    );

    expect(rules(found)).toEqual(['cycle packages/domain/src/a.ts', 'cycle packages/domain/src/b.ts']);
  });
});

describe('manifests', () => {
  test('hold in this repository', () => {
    expect(checkManifests(repository)).toEqual([]);
  });

  test('report what a package lacks', async () => {
    const found = await withWorkspace(
      {
        'packages/domain/package.json': JSON.stringify({
          name: 'domain',
          exports: { '.': './a', './b': './b' },
        }),
        'packages/layout/package.json': manifest('layout'),
        'packages/layout/README.md': 'a line\n'.repeat(61),
      },
      checkManifests,
    );

    expect(found.map((one) => one.what)).toEqual([
      'is missing',
      'name is not @deespec/domain',
      'license is not MIT',
      'engines.node is missing',
      'exports is not only "."',
      'files is missing',
      'has 61 lines; at most 60',
    ]);
  });
});
