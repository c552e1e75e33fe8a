import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { readHealth } from '../health/health.js';
import type { JobName, JobResult } from './service-status.js';

/** What the background service does by the clock. */
export const jobs: Readonly<Record<JobName, (home: string) => Promise<JobResult>>> = { check };

/** Every byte of both stores. */
async function check(home: string): Promise<JobResult> {
  const { status, checks } = await readHealth({ home, deep: true });
  const found = checks.filter((one) => one.status !== 'ok');
  const message = found.map(({ name, value }) => `${name}: ${value}`).join('; ') || 'healthy';
  return { ok: status !== 'fail', message };
}

/** Longest message of a job, characters. */
const MOST_MESSAGE = 10_000;

/**
 * Runs a job in a process of its own: it reads for minutes without a pause, and the service goes on meanwhile. It is asked to end
 * when `signal` is aborted.
 */
export async function runJob(home: string, name: JobName, signal: AbortSignal): Promise<JobResult> {
  const program = fileURLToPath(new URL('./job-main.js', import.meta.url));
  const child = spawn(process.execPath, [program, home, name], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: '/',
  });
  const end = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MOST_MESSAGE) said += text;
  });
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
    const message = said.trim().slice(0, MOST_MESSAGE);
    if (code === 0 || message !== '') return { ok: code === 0, message };
    return { ok: false, message: `it ended with ${killedBy ?? `exit code ${code}`}` };
  } finally {
    signal.removeEventListener('abort', end);
  }
}
