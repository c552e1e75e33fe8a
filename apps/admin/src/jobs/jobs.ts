import { errorKinds, StorageError, timeFromDate, type ErrorCode } from '@deespec/domain';
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import type { JobDto, JobRequest } from '../dto/job.js';
import { problemOf } from '../http/problem.js';
import { commandOf } from './command.js';
import type { FromJob, ToJob } from './message.js';
import { ProgressRate } from './rate.js';

/** The same file, whether this one runs from the sources or not. */
const program = fileURLToPath(new URL('../../dist/jobs/child.js', import.meta.url));

/** Jobs that are remembered. */
const MOST_JOBS = 20;

/** What jobs need to know. */
export interface JobsOptions {
  readonly home: string;
  readonly program?: readonly [string, ...string[]];
  /** Told of each change of a job. */
  readonly onChange: (job: JobDto) => void;
  /** Told what a bug in a job said. */
  readonly onBug: (requestId: string, what: string) => void;
}

/** Who started a job. */
export interface Starter {
  readonly user: string;
  readonly requestId: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

/** Long jobs: one at a time, each in a process of its own. */
export class Jobs {
  private readonly jobs: JobDto[] = [];
  private running: Running | undefined;

  constructor(private readonly options: JobsOptions) {}

  /** Newest first. */
  list(): readonly JobDto[] {
    return this.jobs;
  }

  /** @throws StorageError `JOB.NOT_FOUND` */
  get(id: string): JobDto {
    const found = this.jobs.find((job) => job.id === id);
    if (found !== undefined) return found;
    throw new StorageError('JOB.NOT_FOUND', `no job has the id ${id}`, {
      hint: 'GET /api/jobs lists those since the server started',
      details: { id },
    });
  }

  /** @throws StorageError `JOB.RUNNING` */
  start(request: JobRequest, by: Starter): JobDto {
    const [last] = this.jobs;
    if (this.running !== undefined) {
      throw new StorageError('JOB.RUNNING', `${last!.command} is running`, {
        hint: 'wait until it ends, or cancel it',
        details: { id: last!.id, kind: last!.kind },
      });
    }
    const job: JobDto = {
      id: randomBytes(8).toString('hex'),
      kind: request.kind,
      dryRun: request.dryRun === true,
      state: 'running',
      stopping: false,
      command: commandOf(request),
      startedAt: timeFromDate(new Date()),
      steps: [],
      warnings: [],
    };
    this.jobs.unshift(job);
    this.jobs.splice(MOST_JOBS);
    this.running = this.begin(job, { request, by });
    return job;
  }

  /** Asks a job to stop; one that has ended stays as it is. @throws StorageError `JOB.NOT_FOUND` */
  cancel(id: string): JobDto {
    const job = this.get(id);
    if (job.state !== 'running' || job.stopping) return job;
    job.stopping = true;
    this.tell({ type: 'stop' });
    this.options.onChange(job);
    return job;
  }

  /** Asks what runs to stop and waits until it has: it is never cut off in the middle. */
  async close(): Promise<void> {
    this.tell({ type: 'stop' });
    await this.running?.ended;
  }

  private tell(message: ToJob): void {
    if (this.running?.child.connected === true) this.running.child.send(message);
  }

  private begin(
    job: JobDto,
    { request, by }: { readonly request: JobRequest; readonly by: Starter },
  ): Running {
    const { home, program: command } = this.options;
    const child = fork(program, {
      execArgv: ['--optimize-for-size'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const from = { by, rate: new ProgressRate() };
    // It has ended when its process has: only then everything that it held is free.
    let last: FromJob | undefined;
    child.on('message', (message: FromJob) => {
      if (message.type === 'done' || message.type === 'failed') last = message;
      else this.hear(job, message, from);
    });
    const ended = new Promise<void>((resolve) => {
      const end = (why: string): void => {
        if (job.state !== 'running') return;
        this.running = undefined;
        this.hear(job, last ?? lost(why), from);
        resolve();
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => end(`it ended with ${signal ?? `exit code ${code}`}`));
    });
    child.send({
      type: 'run',
      home,
      user: by.user,
      request,
      ...(command === undefined ? {} : { program: command }),
    });
    return { child, ended };
  }

  private hear(
    job: JobDto,
    message: FromJob,
    from: { readonly by: Starter; readonly rate: ProgressRate },
  ): void {
    if (message.type === 'progress') job.progress = from.rate.take(message);
    if (message.type === 'step') takeStep(job, message);
    if (message.type === 'done') {
      Object.assign(job, { state: 'done', report: message.report, warnings: message.warnings });
    }
    if (message.type === 'failed') this.fail(job, message, from.by);
    if (job.state !== 'running') job.endedAt = timeFromDate(new Date());
    this.options.onChange(job);
  }

  private fail(job: JobDto, message: FromJob & { type: 'failed' }, { requestId }: Starter): void {
    const { code, message: text, hint, details, stack } = message;
    if (stack !== undefined) this.options.onBug(requestId, stack);
    const isKnown = Object.hasOwn(errorKinds, code);
    const error = new StorageError(isKnown ? (code as ErrorCode) : 'INTERNAL', text, {
      details,
      ...(hint === undefined ? {} : { hint }),
    });
    job.state = code === 'INTERRUPTED' ? 'cancelled' : 'failed';
    job.error = problemOf(error, { home: this.options.home, requestId }).body;
  }
}

function lost(why: string): FromJob & { type: 'failed' } {
  return {
    type: 'failed',
    code: 'SERVICE.FAILED',
    message: `the process of the job is gone: ${why}`,
    hint: 'deespec status says what is left to do',
    details: {},
  };
}

/** A step that ends takes the place of its beginning. */
function takeStep(job: JobDto, { name, about, state, ms }: FromJob & { type: 'step' }): void {
  const step = { name, about, state, ...(ms === undefined ? {} : { ms }) };
  const at = job.steps.findIndex((one) => one.name === name && one.state === 'begun');
  if (at >= 0) job.steps[at] = step;
  else job.steps.push(step);
}
