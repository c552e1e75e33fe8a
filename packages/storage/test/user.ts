// Processes that have a tree open, as services, watchers and programs do.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const dist = new URL('../dist/', import.meta.url).href;

/** What a process does with the tree. */
export type UserKind = 'api' | 'watch' | 'service';

/** A process that has a tree open until it is ended. */
export interface User {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Tells it to `write`, to `read`, or to wait until the other store has everything, with the API. @returns `done`, or the code of the error */
  ask(what: 'write' | 'read' | 'settle'): Promise<string>;
}

const started: ChildProcess[] = [];

/** Ends every process that was started here. */
export async function endUsers(): Promise<void> {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

/** Remembers a process, so that {@link endUsers} ends it. */
export function track(child: ChildProcess): ChildProcess {
  started.push(child);
  return child;
}

const bodies: Readonly<Record<UserKind, string>> = {
  api: `
    const storage = await openStorage({ home, user: 'a test' });
    const work = {
      write: () => storage.setConfig('setting.note_of_test', String(Date.now())),
      read: () => storage.listConfig(),
      settle: () => storage.settled(),
    };
    createInterface({ input: process.stdin }).on('line', async (line) => {
      try { await work[line](); console.log('done'); } catch (error) { console.log(error.code); }
    });
    end = async () => { await storage.close(); process.exit(0); };
    console.log('ready');`,
  watch: `
    const stop = new AbortController();
    end = () => stop.abort();
    // The stop can be noticed before the signal.
    const ready = () => console.log('ready');
    await watchTree({ home, signal: stop.signal, onPass: ready }).catch(() => undefined);
    process.exit(0);`,
  service: `
    const stop = new AbortController();
    end = () => stop.abort();
    setTimeout(() => console.log('ready'), 500);
    await runService({ home, signal: stop.signal });
    process.exit(0);`,
};

/** Starts a process that has the tree open; resolves when it has. @param ending - what SIGTERM does to it */
export async function startUser(
  home: string,
  kind: UserKind,
  ending: 'ends' | 'ignores' = 'ends',
): Promise<User> {
  const program = `
    import { createInterface } from 'node:readline';
    import { openStorage, runService, watchTree } from ${JSON.stringify(`${dist}index.js`)};
    const home = ${JSON.stringify(home)};
    let end = () => undefined;
    process.on('SIGTERM', () => (${JSON.stringify(ending)} === 'ends' ? end() : undefined));
    setInterval(() => {}, 1000);
    ${bodies[kind]}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  track(child);
  const lines = createInterface({ input: child.stdout });
  await Promise.race([once(lines, 'line'), failWhenItEnds(child)]);
  const ask = async (what: string): Promise<string> => {
    child.stdin.write(`${what}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    return line;
  };
  return { pid: child.pid!, child, ask };
}

async function failWhenItEnds(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error('the process ended before it had the tree open');
}
