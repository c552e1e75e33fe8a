import { modeMeanings, StorageError } from '@deespec/domain';

import { createBackup } from '../backup/create.js';
import { listBackups } from '../backup/list.js';
import { changeMode } from '../mode.js';
import { readModeChange } from '../mode-change.js';
import { endStopped, startService } from '../service/start.js';
import { stopTree } from '../service/stop.js';
import { readStopped } from '../service/stopped.js';
import type { Run, Step, Undo } from './machine.js';
import { modeInForce } from './mode-in-force.js';

/** The run's own part of what every use case takes. */
export function runOptions({ paths, options: { signal, onProgress } }: Run) {
  return {
    home: paths.home,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

/** @throws StorageError `RUN.UNFINISHED` when somebody started the tree in the middle of the run */
export function requireStopped({ paths, record }: Run): void {
  if (readStopped(paths) !== undefined) return;
  throw new StorageError('RUN.UNFINISHED', `${paths.home} was started in the middle of a ${record.kind}`, {
    hint: `run it again: deespec ${record.kind}`,
    details: { run: record.id },
  });
}

export const stop: Step = {
  name: 'stop',
  about: 'end every process that works on the tree, and let none begin',
  isRenewed: true,
  run: async ({ paths, options, record }) => {
    const { processes } = await stopTree({
      home: paths.home,
      all: true,
      command: record.kind,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    return { processes };
  },
  check: requireStopped,
};

export const backup: Step = {
  name: 'backup',
  about: 'back up the tree and its database, verified',
  requires: requireStopped,
  run: async (run) => {
    const { kind, id } = run.record;
    const { id: made, path } = await createBackup({ ...runOptions(run), note: `before the ${kind} ${id}` });
    return { backup: made, path };
  },
  check: ({ paths }, { backup: made }) => {
    if (listBackups(paths).some(({ id }) => id === made)) return;
    throw new StorageError('TRANSFER.MISMATCH', `the backup ${String(made)} is not among the backups`, {
      hint: 'somebody removed it: run the command again',
      details: { backup: made },
    });
  },
};

/** Changes the mode; it proves first that both stores hold the same. */
export const switchMode: Step = {
  name: 'switch',
  about: 'prove that both stores hold the same, then change the mode',
  requires: requireStopped,
  run: async (run) => {
    const { epoch, digest, sync } = await changeMode({ ...runOptions(run), mode: run.record.to });
    return {
      epoch,
      digest,
      imported: sync?.imported,
      projected: sync?.projected,
      conflicts: sync?.conflicts,
    };
  },
  check: ({ paths, record }) => {
    const mode = modeInForce(paths);
    if (mode === record.to) return;
    throw new StorageError('TRANSFER.MISMATCH', `the mode is ${mode}, not ${record.to}`, {
      hint: 'another program changed it back: run the command again',
      details: { mode },
    });
  },
  isPassed: ({ paths, record }) => readModeChange(paths) !== undefined || modeInForce(paths) === record.to,
};

export const start: Step = {
  name: 'start',
  about: 'let the tree be used again, and start what ran before',
  run: async (run) => {
    await letGo(run);
    const { record } = run;
    return { mode: record.to, meaning: modeMeanings[record.to].meaning, isStopped: record.wasStopped };
  },
  isPassed: () => true,
};

/** The tree is started as it was before: not when it was stopped then. */
const letGo: Undo = async ({ paths, record, options }) => {
  if (record.wasStopped) return;
  await endStopped(paths);
  if (!record.hadService || options.program === undefined) return;
  await startService({ home: paths.home, program: options.program });
};

/** Takes back what a run did to others. */
export const undo: Undo = letGo;
