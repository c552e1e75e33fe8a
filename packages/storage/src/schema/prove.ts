import { isStorageError } from '@deespec/domain';
import { schemaScripts } from '@deespec/sqlite-adapter';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';

import { takeBarrier } from '../barrier.js';
import { getDatabase } from '../database.js';
import { homePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import { requireFit, requireSpace } from '../preflight.js';
import { copyVerified, databaseBytes } from '../verified-copy.js';
import { planFor } from './plan.js';
import { rehearse } from './rehearse.js';
import type { SchemaDirection, SchemaProof, SchemaStep } from './reports.js';

/**
 * Proves on a copy of this very database that its schema can be brought up to date, taken back a version at a time as far as nothing
 * would be lost, and brought up to date again, and that every value that must survive does. The database is only read; services go
 * on meanwhile.
 *
 * @throws StorageError `SCHEMA.UNPROVEN`, `MIGRATION.FAILED`, `LOCK.HELD`, `DATABASE.*`, `PREFLIGHT.*`, `FILE.*`, `INTERRUPTED`
 */
export async function proveSchema(options: {
  readonly home: string;
  readonly signal?: AbortSignal;
}): Promise<SchemaProof> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  requireFit(paths);
  const release = takeBarrier(paths, { access: 'shared', command: 'schema prove' });
  const directory = join(paths.runs, ulid());
  try {
    getDatabase(paths, { older: 'allowed' });
    requireSpace(paths, databaseBytes(paths.database));
    makeOwnDirectory(paths.runs);
    makeOwnDirectory(directory);
    const copy = join(directory, 'deespec.db');
    copyVerified(paths, copy);
    const proof = new Proof(copy, options.signal);
    const kept = proof.run(planFor(paths, { direction: 'up' }).from);
    return {
      home: paths.home,
      database: paths.database,
      steps: proof.steps,
      ...(kept === undefined ? {} : { kept }),
      durationMs: Math.round(performance.now() - startedMs),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
    release();
  }
}

class Proof {
  readonly steps: SchemaStep[] = [];

  constructor(
    private readonly copy: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  run(from: number): SchemaProof['kept'] {
    const newest = schemaScripts().length;
    for (let version = from + 1; version <= newest; version += 1) this.go('up', version);
    let lowest = newest;
    let kept: SchemaProof['kept'];
    while (lowest > 1 && kept === undefined) {
      kept = this.goDown(lowest - 1);
      if (kept === undefined) lowest -= 1;
    }
    for (let version = lowest + 1; version <= newest; version += 1) this.go('up', version);
    return kept;
  }

  /** @returns why it cannot go there without a loss */
  private goDown(to: number): SchemaProof['kept'] {
    try {
      this.go('down', to);
      return undefined;
    } catch (error) {
      if (!isStorageError(error, 'SCHEMA.WOULD_LOSE')) throw error;
      return { version: to + 1, message: error.message };
    }
  }

  private go(direction: SchemaDirection, to: number): void {
    this.signal?.throwIfAborted();
    this.steps.push(rehearse(this.copy, { direction, to }));
  }
}
