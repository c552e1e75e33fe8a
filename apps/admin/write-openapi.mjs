// Writes openapi.json, and the types of the client, as the built server says them: `node write-openapi.mjs`. With `--check` it writes
// nothing, names what is not up to date and ends with 1.
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { openApiDocument } from './dist/index.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const document = openApiDocument(version);
const texts = {
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  // A copy: the generator resolves references in place.
  'client/src/api/schema.ts': COMMENT_HEADER + astToString(await openapiTS(structuredClone(document))),
};

for (const [name, text] of Object.entries(texts)) {
  const path = fileURLToPath(new URL(name, import.meta.url));
  if (readIfThere(path) === text) continue;
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else {
    process.exitCode = 1;
    process.stdout.write(`${name} is not up to date: node write-openapi.mjs\n`);
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
