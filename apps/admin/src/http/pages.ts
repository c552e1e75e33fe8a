import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the build puts the client; the same whether this file runs from the sources or not. */
const CLIENT = fileURLToPath(new URL('../../client/dist/', import.meta.url));

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** A file of the client. */
export interface ClientFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** The client: a closed list that was read at the start. No address ever becomes a path. */
export interface Pages {
  /** The page, with a nonce for the style elements that it makes. */
  page(nonce: string): string;
  /** A file by its address, such as `/assets/main-3f2a.js`. */
  find(address: string): ClientFile | undefined;
}

/** Reads the client that the build made; where there is none, a page says how to build it. */
export function readPages(): Pages {
  const files = new Map(filesIn('').map((name) => [`/${name}`, fileAt(name)]));
  const html = files.get('/index.html')?.bytes.toString('utf8') ?? withoutClient;
  files.delete('/index.html');
  return {
    page: (nonce) => html.replaceAll('__CSP_NONCE__', nonce),
    find: (address) => files.get(address),
  };
}

const withoutClient =
  '<!doctype html><title>DeeSpec</title><p>The client was not built: node tooling/pnpm.mjs --filter @deespec/admin build</p>\n';

function fileAt(name: string): ClientFile {
  return { type: mediaTypes[extname(name)]!, bytes: readFileSync(join(CLIENT, name)) };
}

/** Names below the directory of the client, of the kinds that it consists of. */
function filesIn(directory: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(CLIENT, directory), { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory()) return filesIn(name);
    return entry.isFile() && mediaTypes[extname(name)] !== undefined ? [name] : [];
  });
}
