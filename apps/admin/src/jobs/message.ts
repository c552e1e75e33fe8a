import type { JobRequest } from '../dto/job.js';

/** What the process of a job is told. */
export type ToJob =
  | {
      readonly type: 'run';
      readonly home: string;
      readonly user: string;
      /** How the command is run, to start the background service again; absent: it is not. */
      readonly program?: readonly [string, ...string[]];
      readonly request: JobRequest;
    }
  | { readonly type: 'stop' };

/** What it says. */
export type FromJob =
  | {
      readonly type: 'progress';
      readonly phase: string;
      readonly doneBytes: number;
      readonly totalBytes?: number;
      readonly doneEntries: number;
    }
  | {
      readonly type: 'step';
      readonly name: string;
      readonly about: string;
      readonly state: 'begun' | 'done' | 'kept';
      readonly ms?: number;
    }
  | { readonly type: 'done'; readonly report: Record<string, unknown>; readonly warnings: readonly string[] }
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
      readonly details: Record<string, unknown>;
      /** Of a bug, for the log of the server. */
      readonly stack?: string;
    };
