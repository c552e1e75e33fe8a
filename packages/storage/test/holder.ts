import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const dist = new URL('../dist/', import.meta.url).href;

/** A process that holds the barrier of a tree until it is ended. */
export interface Holder {
  readonly pid: number;
  /** Kills it, as a crash would. */
  kill(): Promise<void>;
}

/** Starts a process that takes the barrier; resolves when it has it. */
export async function startHolder(
  home: string,
  access: 'shared' | 'exclusive',
  command: string,
): Promise<Holder> {
  const program = `
    import { takeBarrier } from ${JSON.stringify(`${dist}barrier.js`)};
    import { homePaths } from ${JSON.stringify(`${dist}home.js`)};
    globalThis.release = takeBarrier(homePaths(${JSON.stringify(home)}), ${JSON.stringify({ access, command })});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([once(child.stdout, 'data'), failWhenItEnds(child)]);
  return { pid: child.pid!, kill: () => end(child) };
}

/**
 * Takes the lock in another process without saying so, and gives it back 300 ms later. Resolves when it is taken, to a
 * promise of its end.
 */
export async function lockForAMoment(
  home: string,
  access: 'shared' | 'exclusive',
): Promise<{ readonly ended: Promise<unknown> }> {
  const program = `
    import Database from 'better-sqlite3';
    const lock = new Database(${JSON.stringify(`${home}/.storage/lock.db`)});
    lock.exec(${JSON.stringify(access === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN DEFERRED')});
    lock.prepare('SELECT count(*) FROM sqlite_schema').get();
    console.log('held');
    setTimeout(() => lock.close(), 300);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), failWhenItEnds(child)]);
  return { ended };
}

async function failWhenItEnds(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error('the holder ended before it had the barrier');
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
