// The program of the child process: what blocks its thread for long, and what looks into files that may be hostile, is done here, where
// it can be ended at any time.
import { sendableError } from '@deespec/domain';

import { hashFile } from './hash-file.js';
import { inspect, requireWhole } from './inspect.js';
import type { Answer, Job } from './run-child.js';
import { snapshot } from './snapshot.js';

// Whoever asked is gone.
process.on('disconnect', () => process.exit(1));
process.once('message', (job: Job) => void answer(job));

async function answer(job: Job): Promise<void> {
  let message: Answer;
  try {
    message = { result: await resultOf(job) };
  } catch (error) {
    message = { error: sendableError(error) };
  }
  process.send!(message, () => process.exit(0));
}

async function resultOf(job: Job): Promise<unknown> {
  if (job.kind === 'snapshot') return snapshot(job.from, job.to);
  if (job.kind === 'inspect') return inspect(job.path, job.ownLinks);
  requireWhole(job.path, job.ownLinks);
  return hashFile(job.path);
}
