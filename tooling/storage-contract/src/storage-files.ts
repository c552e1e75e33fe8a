import type { SbiId, Storage, TreePath } from '@deespec/domain';
import { expect, test } from '@jest/globals';

import type { OnApi } from './storage-contract.js';
import { failureOf } from './storage-failures.js';

/** What lies below the directories of an SBI, and where words stand in it. */
export function files(onApi: OnApi): void {
  test(
    'lists the files of an SBI, gives their bytes and no others, and shows where a word stands',
    onApi(async (storage) => {
      const text = `${'ä '.repeat(200)}the <b>Hérons</b> of "night" ${'x '.repeat(300)}`;
      const one = await storage.createSbi({ title: 'one', spec: text });
      const two = await storage.createSbi({ title: 'A heron', spec: 'nothing' });
      const bytes = Buffer.from('NIGHT \u{1f319} falls');
      await storage.appendExecution({ ...aStep, sbiId: two.id, content: bytes });

      const listed = await storage.listFiles(two.id);
      const step = listed.find(({ path }) => path.endsWith('/implement_2.md'))!;
      const found = await storage.listSnippets([one.id, two.id], 'hérons NIGHT');

      expect(listed.map(({ kind }) => kind)).not.toContain('directory');
      expect(step).toMatchObject({ kind: 'file', size: bytes.length });
      expect(await contentOf(storage, two.id, step.path)).toEqual(bytes);
      expect(await failureOf(contentOf(storage, one.id, step.path))).toBe('FILE.NOT_FOUND');
      expect(await storage.listFiles('SBI-01M810CC01J2AAPQZVYRK1YMJR' as SbiId)).toEqual([]);
      expect(found.map((parts) => parts!.filter(({ isMatch }) => isMatch).map((part) => part.text))).toEqual([
        ['Hérons', 'night'],
        ['NIGHT'],
      ]);
      const whole = found[0]!.map((part) => part.text).join('');
      expect(text).toContain(whole);
      expect(whole.length).toBeLessThan(250);
      expect(await storage.listSnippets([two.id], 'absent')).toEqual([undefined]);
      expect(await failureOf(storage.listSnippets([], '--'))).toBe('USAGE.INVALID');
    }),
  );
}

const aStep = { run: 1, turn: 2, step: 'implement', status: 'REVIEW', decision: 'SUCCEEDED' } as const;

async function contentOf(storage: Storage, sbiId: SbiId, path: TreePath): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await storage.readFile({ sbiId, path }, async (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}
