export { escalate } from './triage.js';
export { runWorker } from './worker.js';
export type { Work, WorkerOptions } from './worker.js';
