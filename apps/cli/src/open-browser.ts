import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Programs that open an address in the browser, by platform. */
const openers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { linux: 'xdg-open', darwin: 'open' };

/**
 * Opens a secret address in the browser of this desktop: through a page that only this account can read, because every account can
 * read the arguments of a process. That it cannot is no error: the address was printed.
 *
 * @param onProblem - told why it could not, in words
 * @returns removes the page
 */
export async function openInBrowser(address: string, onProblem: (why: string) => void): Promise<() => void> {
  const opener = openers[process.platform];
  if (opener === undefined) {
    onProblem('no program is known here that opens a browser: open the link by hand');
    return () => undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'deespec-admin-'));
  const page = join(directory, 'open.html');
  writeFileSync(page, `<!doctype html><meta http-equiv="refresh" content="0;url=${address}">\n`, {
    mode: 0o600,
  });
  const child = spawn(opener, [pathToFileURL(page).href], { stdio: 'ignore', detached: true });
  await new Promise<void>((resolve) => {
    child.once('spawn', resolve);
    child.once('error', () => {
      onProblem(`"${opener}" cannot be started: open the link by hand`);
      resolve();
    });
  });
  child.unref();
  return () => rmSync(directory, { recursive: true, force: true });
}
