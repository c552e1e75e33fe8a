import { pathFromText, putIf } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { afterAll, expect, test } from '@jest/globals';
import fs from 'node:fs';

import { openIndex } from '../src/index.js';
import { newHome, put, removeDirectories } from './support.js';

afterAll(removeDirectories);

test('a query sees all of an edit whose process died in the middle', async () => {
  const home = newHome();
  put(home, 'setting.json', '{"max_turns": 1}\n');
  let renames = 0;
  const system = {
    ...fs,
    renameSync: (from: fs.PathLike, to: fs.PathLike) => {
      if (String(to).endsWith('setting.json') && (renames += 1) === 1) {
        throw Object.assign(new Error('the process dies'), { code: 'EIO', errno: -5, syscall: 'rename' });
      }
      fs.renameSync(from, to);
    },
  };
  const dying = openFileStorage({ home, system }).store;
  const before = dying.find(pathFromText('setting.json'))!.sha256;
  const file = { kind: 'file', mode: 0o644 } as const;
  const first = { path: pathFromText('knowledge.md'), ...file, bytes: Buffer.from('new') };
  const second = { path: pathFromText('setting.json'), ...file, bytes: Buffer.from('{"max_turns": 2}\n') };
  const edit = dying.edit(() => ({
    edits: [
      { op: 'put', version: first, expected: undefined },
      { op: 'put', version: second, expected: before },
    ],
  }));
  await expect(edit).rejects.toMatchObject({ code: 'FILE.OUTCOME_UNKNOWN' });
  expect(dying.unfinishedSince()).toBeDefined();

  const tree = await openIndex({ home });

  expect(await tree.index.getConfig('setting.max_turns')).toMatchObject({ valueJson: '2' });
  expect(dying.unfinishedSince()).toBeUndefined();
  await tree.close();
  await putIf(dying, { ...first, path: pathFromText('later.md') }, undefined);
});
