// The process of one scheduled job: `job-main.js <home> <job>`. Prints what came of it; ends with 0 or 1.

import { atBoundary } from '../boundary.js';
import { jobs } from './jobs.js';
import type { JobName } from './service-status.js';

process.umask(0o077);
const [home = '', name = ''] = process.argv.slice(2);
const job = jobs[name as JobName];
try {
  const { ok, message } = await atBoundary(home, () => job(home));
  process.stdout.write(`${message}\n`);
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
