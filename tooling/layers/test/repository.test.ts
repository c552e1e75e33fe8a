import { describe, expect, test } from '@jest/globals';
import {
  checkPackagePipelines,
  checkTexts,
  checkWorkflows,
  listTracked,
  unpinnedActions,
} from '../src/index.js';
import { manifest, repository, withWorkspace } from './support.js';

describe('tracked texts', () => {
  test('hold no path of a machine, no registry and no long source in this repository', () => {
    expect(checkTexts(repository, listTracked(repository))).toEqual([]);
  });

  test('report each', async () => {
    const machine = ['', 'home', 'me'].join('/');
    const registry = ['registry', 'npmjs', 'org'].join('.');
    const files = {
      'path.md': `one\nsee ${machine}/notes`,
      'lock.yaml': `at ${registry}`,
      'long.ts': 'const x = 1;\n'.repeat(401),
      'fine.md': `src/home/x and ${['..', 'root', 'y'].join('/')} and ${['$', '{dir}', 'work'].join('/')} and /home/x/y`,
    };

    const found = await withWorkspace(files, (root) => checkTexts(root, Object.keys(files)));

    expect(found.map((one) => `${one.rule} ${one.where}`)).toEqual([
      'absolute-path path.md:2',
      'registry-host lock.yaml:1',
      'length long.ts',
    ]);
  });
});

describe('pipelines', () => {
  test('parse, name their permissions and pin foreign actions in this repository', () => {
    expect(checkWorkflows(repository)).toEqual([]);
  });

  test('start when a package or anything it is built from changes', () => {
    expect(checkPackagePipelines(repository)).toEqual([]);
  });

  test('report a workflow without permissions, limits and pins', async () => {
    const text = 'on: { push: }\njobs:\n  one:\n    steps: [{ uses: actions/checkout@v6 }]\n';

    const found = await withWorkspace({ '.github/workflows/a.yml': text }, checkWorkflows);

    expect(found.map((one) => one.what)).toEqual([
      'does not name its permissions',
      'does not limit its concurrency',
      'uses actions/checkout@v6, which is not pinned by commit',
    ]);
  });

  test('report a dependency whose changes nobody watches', async () => {
    const found = await withWorkspace(
      {
        'packages/domain/package.json': manifest('domain'),
        'packages/layout/package.json': manifest('layout', { dependencies: { '@deespec/domain': '*' } }),
        '.github/workflows/domain.yml':
          "on:\n  push: { paths: ['packages/domain/**'] }\n  pull_request: { paths: ['packages/domain/**'] }\n",
        '.github/workflows/layout.yml':
          "on:\n  push: { paths: ['packages/layout/**'] }\n  pull_request: { paths: ['packages/layout/**', 'packages/domain/**'] }\n",
      },
      checkPackagePipelines,
    );

    expect(found.map((one) => `${one.where} ${one.what}`)).toEqual([
      '.github/workflows/layout.yml push does not watch packages/domain/**',
    ]);
  });

  test('take an action of this repository as it is', () => {
    expect(unpinnedActions('uses: ./.github/actions/setup\nuses: a/b@main')).toEqual([
      'uses a/b@main, which is not pinned by commit',
    ]);
  });
});
