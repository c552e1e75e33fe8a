import type { JobProgressDto } from '../dto/job.js';

/** Progress as a job says it. */
export interface SaidProgress {
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly doneEntries: number;
}

/** Before so many milliseconds of a phase have passed, nothing is said of its end. */
const LEAST_MS = 1_000;

/** Tells when a phase ends, from how fast its bytes went by. */
export class ProgressRate {
  private phase: { readonly name: string; readonly atMs: number; readonly bytes: number } | undefined;

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  take({ phase, doneBytes, totalBytes, doneEntries }: SaidProgress): JobProgressDto {
    const nowMs = this.nowMs();
    if (this.phase?.name !== phase) this.phase = { name: phase, atMs: nowMs, bytes: doneBytes };
    const { atMs, bytes } = this.phase;
    const perMs = (doneBytes - bytes) / (nowMs - atMs);
    const isKnown = totalBytes !== undefined && nowMs - atMs >= LEAST_MS && perMs > 0;
    return {
      phase,
      doneBytes,
      doneEntries,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(isKnown ? { etaSeconds: Math.max(0, Math.round((totalBytes - doneBytes) / perMs / 1_000)) } : {}),
    };
  }
}
