import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { openApiDocument } from '../src/index.js';

const here = fileURLToPath(new URL('..', import.meta.url));

test('the committed contract is the one that the routes and classes make', () => {
  const committed = JSON.parse(readFileSync(`${here}/openapi.json`, 'utf8')) as { info: { version: string } };

  expect(openApiDocument(committed.info.version)).toEqual(committed);
});

test('the types of the client are those of the contract', () => {
  const { status, stdout } = spawnSync(process.execPath, ['write-openapi.mjs', '--check'], {
    cwd: here,
    encoding: 'utf8',
  });

  expect([status, stdout]).toEqual([0, '']);
});

test('the contract calls a whole number one, and closes every object', () => {
  const { openapi, components } = openApiDocument('0') as {
    openapi: string;
    components: {
      schemas: Record<
        string,
        { properties: Record<string, object>; additionalProperties: boolean; required: string[] }
      >;
    };
  };

  expect(openapi).toBe('3.1.0');
  expect(components.schemas['JobProgressDto']!.properties['doneBytes']).toMatchObject({ type: 'integer' });
  expect(components.schemas['JobProgressDto']!.required).toEqual(['phase', 'doneBytes', 'doneEntries']);
  expect(Object.values(components.schemas).filter((schema) => schema.additionalProperties)).toEqual([]);
});
