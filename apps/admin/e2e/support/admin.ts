import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The launcher of the command. */
export const program = fileURLToPath(new URL('../../../cli/bin/deespec.js', import.meta.url));

/** Done, and done with findings. Source: docs/exit-codes.md. */
const done: readonly (number | null)[] = [0, 2];

/** Runs the command on a tree and waits for it. @throws Error when it was not done */
export function deespec(home: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args, '--home', home], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (!done.includes(status)) throw new Error(`deespec ${args.join(' ')}: exit ${status}: ${stderr}`);
}

/** `deespec admin` in a process of its own. */
export interface RunningAdmin {
  /** Opens the app once. */
  readonly link: string;
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string;
  close(): Promise<void>;
}

const linkPattern = /http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]+/u;

function findLink(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const link = linkPattern.exec(line)?.[0];
        if (link !== undefined) resolve(link);
      });
    }
    child.once('exit', (code) => reject(new Error(`deespec admin ended with ${code}: ${said.join('\n')}`)));
  });
}

/** Starts the real command on a tree. */
export async function startAdmin(home: string, ...args: readonly string[]): Promise<RunningAdmin> {
  const child = spawn(process.execPath, [program, 'admin', ...args, '--home', home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const link = await findLink(child);
  return {
    link,
    origin: new URL(link).origin,
    close: async () => {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}
