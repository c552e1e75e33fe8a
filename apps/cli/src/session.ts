import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { isStorageError, StorageError } from '@deespec/domain';
import type { Progress } from '@deespec/storage';
import { commandName, homeOption } from './command.js';
import { formatEnvelope, knownError, toEnvelopeError } from './envelope.js';
import type { Envelope } from './envelope.js';
import { exitCodeOf, exitCodes } from './exit-code.js';
import type { StopSignal } from './exit-code.js';
import { renderError, renderWarning } from './render-error.js';
import { prepareReport, writeReport } from './report-file.js';
import type { Settings } from './settings.js';
import type { Terminal } from './terminal.js';
import { ParseStop, usageError } from './usage.js';

/** What a command that ran to its end has to say. */
export interface Outcome {
  /** The envelope's `data`. */
  readonly data: unknown;
  /** The result for people, on standard output; called without `--json` only. */
  readonly text: () => string | Buffer | Promise<string>;
  /** 1: a check failed, 2: findings, 3: partial; absent: 0. */
  readonly exitCode?: 0 | 1 | 2 | 3;
  /** In the envelope, and on standard error. */
  readonly warnings?: readonly string[];
  /** What else people want to know, on standard error. */
  readonly notes?: readonly string[];
  /** Why the command failed although it has data to show. */
  readonly error?: StorageError;
}

/** What an action gets. */
export interface Context {
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Aborted by the first stop signal. */
  readonly signal: AbortSignal;
  /** The account that makes changes, for the audit log. */
  readonly user: string;
  /** The `.deespec` directory. @throws StorageError `TREE.NOT_FOUND` */
  home(): Promise<string>;
  /** Runs `work` with a progress display on standard error, which is gone when it resolves. */
  withProgress<T>(work: (onProgress: (progress: Progress) => void) => Promise<T>): Promise<T>;
  /** Also writes the envelope to `path`, whatever the end. @throws StorageError when it cannot be written there */
  reportTo(path: string): Promise<void>;
}

export type Action = (context: Context) => Promise<Outcome>;

export interface SessionOptions {
  readonly terminal: Terminal;
  readonly settings: Settings;
  readonly argv: readonly string[];
}

/** How a command ended: with an outcome, an error, or both. */
interface End {
  readonly outcome?: Outcome;
  readonly error?: unknown;
}

/** One run of the program: gives actions their context and turns their end into output and an exit code. */
export class Session {
  readonly #options: SessionOptions;
  readonly #abort = new AbortController();
  #stopSignal: StopSignal | undefined;
  #report: string | undefined;
  #help = '';
  /** The exit code of the process. */
  exitCode: number = exitCodes.ok;
  /** True when `--json` stands before any `--`: known before parsing, so that a wrong command line answers in JSON. */
  readonly json: boolean;

  constructor(options: SessionOptions) {
    this.#options = options;
    const end = options.argv.indexOf('--');
    this.json = options.argv.slice(0, end < 0 ? undefined : end).includes('--json');
  }

  /** Asks the running command to stop cleanly. */
  interrupt(signal: StopSignal): void {
    this.#stopSignal = signal;
    this.#abort.abort(
      new StorageError('INTERRUPTED', `stopped by ${signal}`, { hint: 'run the command again to finish it' }),
    );
  }

  /** Runs an action that stops by itself when the signal aborts, after it has cleaned up. */
  async run(command: CommandUnknownOpts, action: Action): Promise<void> {
    await this.#settle(commandName(command), () => action(this.#context(command)));
  }

  /** Runs an action that only reads: it has nothing to clean up and is abandoned when the signal aborts. */
  async read(command: CommandUnknownOpts, action: Action): Promise<void> {
    const { signal } = this.#abort;
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    await this.#settle(commandName(command), () => Promise.race([action(this.#context(command)), aborted]));
  }

  /** Collects a command's help. In error it goes to standard error at once. */
  readonly helpOutput = {
    writeOut: (text: string): void => void (this.#help += text),
    writeErr: (text: string): void => {
      if (!this.json) this.#options.terminal.stderr.write(text);
    },
    outputError: (): void => undefined,
  };

  /** The help collected so far, as the result of a command. */
  helpOutcome(): Outcome {
    const help = this.#help;
    return { data: { help }, text: () => help };
  }

  /** Ends the session for what was thrown outside an action: parsing stopped, or a bug. */
  async fail(error: unknown): Promise<void> {
    if (!(error instanceof ParseStop)) return this.#end('deespec', { error });
    const name = commandName(error.command);
    if (error.isHelp) await this.#succeed(name, this.helpOutcome());
    else this.#end(name, { error: usageError(error) });
  }

  async #settle(name: string, work: () => Promise<Outcome>): Promise<void> {
    try {
      await this.#succeed(name, await work());
    } catch (error) {
      this.#end(name, { error: error instanceof ParseStop ? usageError(error) : error });
    }
  }

  async #succeed(name: string, outcome: Outcome): Promise<void> {
    if (!this.json) this.#options.terminal.write(await outcome.text());
    this.#end(name, outcome.error === undefined ? { outcome } : { outcome, error: outcome.error });
  }

  #end(name: string, end: End): void {
    const { terminal, settings } = this.#options;
    let envelope = this.#envelope(name, end);
    if (this.#report !== undefined) {
      try {
        writeReport(this.#report, formatEnvelope(envelope));
      } catch (error) {
        envelope = this.#envelope(name, { ...end, error: end.error ?? error });
      }
    }
    this.exitCode = envelope.exitCode;
    if (this.json) return terminal.write(formatEnvelope(envelope));
    for (const warning of envelope.warnings) terminal.note(renderWarning(warning, terminal));
    for (const note of end.outcome?.notes ?? []) terminal.note(note);
    if (envelope.error !== null) terminal.note(renderError(envelope.error, terminal));
    if (settings.debug && end.error instanceof Error) terminal.note(end.error.stack ?? '');
  }

  #envelope(name: string, end: End): Envelope {
    const exitCode =
      'error' in end ? this.#errorExitCode(end.error) : (end.outcome?.exitCode ?? exitCodes.ok);
    return {
      schema: 'deespec.cli/1',
      command: name,
      ok: exitCode === exitCodes.ok,
      exitCode,
      data: end.outcome?.data ?? null,
      warnings: end.outcome?.warnings ?? [],
      error: 'error' in end ? toEnvelopeError(end.error) : null,
    };
  }

  #errorExitCode(thrown: unknown): number {
    const error = knownError(thrown);
    return isStorageError(error) ? exitCodeOf(error, this.#stopSignal) : exitCodes.bug;
  }

  #context(command: CommandUnknownOpts): Context {
    const { terminal, settings } = this.#options;
    const home = async (): Promise<string> => {
      const { findHome } = await import('@deespec/storage');
      const given = homeOption(command);
      const cwd = workingDirectory();
      return findHome({
        ...(given === undefined ? {} : { home: given }),
        cwd,
        environment: settings.environment,
      });
    };
    return {
      json: this.json,
      terminal,
      signal: this.#abort.signal,
      user: settings.user,
      home,
      withProgress: async (work) => {
        const { openProgress } = await import('./progress.js');
        const progress = await openProgress(terminal.stderr);
        try {
          return await work((step) => progress.update(step));
        } finally {
          progress.close();
        }
      },
      reportTo: async (path) => {
        prepareReport(path, await home());
        this.#report = path;
      },
    };
  }
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new StorageError('TREE.NOT_FOUND', 'the working directory no longer exists', {
      hint: 'change to a directory that exists',
      cause: error,
    });
  }
}
