import { artifactSteps, StorageError } from '@deespec/domain';
import type { JournalEvent, NewExecution, SbiId, TreePath } from '@deespec/domain';

import { cannotExpress } from '../edit.js';
import { earlierRunPath } from './earlier-run.js';
import { appendLine, isWip, projectPath, setGoState, wipOf } from './go-files.js';
import { setCompleted, setStateKeys } from './sbi-changes.js';
import type { Planning, SbiPlace } from './sbi-place.js';

/**
 * Appends what one step did: its file, its journal line, and last the state of the SBI. The file of an earlier run that has
 * the same name is kept in `histories/run_<n>/` first.
 *
 * @throws StorageError `EXECUTION.EXISTS`; `LAYOUT.CANNOT_EXPRESS` for another run than the one in work, or a content without
 *   a file name
 */
export function appendExecution(planning: Planning, place: SbiPlace, execution: NewExecution): void {
  const { draft, stamp } = planning;
  const { run, turn, step, content, status, decision, attempt = 1 } = execution;
  const events = draft.journal.eventsOf(place.id);
  requireNew(events, execution);
  requireCurrentRun(events, run);
  const file = content === undefined ? undefined : stepFile(place, execution);

  settleInWork(planning, place);
  if (file !== undefined) {
    keepEarlier(planning, file, execution);
    draft.put(file, Buffer.from(content!));
  }
  const artifacts = file === undefined ? [{ type: 'status', id: place.id }] : [projectPath(file)];
  appendLine(draft, { ...execution, artifacts }, stamp);
  const keys = { current: step, turn, attempt, decision, status };
  if (place.layout === 'document') {
    setStateKeys(draft, place, { ...keys, updated_at: stamp.now });
    setCompleted(draft, place, status === 'DONE' ? stamp.now : undefined);
    return;
  }
  if (!isWip(wipOf(draft), place.id)) return;
  const ended = status === 'DONE' ? { wip: '', lease_expires_at: '' } : {};
  setGoState(draft, { ...keys, ...ended }, stamp.now);
}

/**
 * What `state.json` alone says of the step in work gets its journal line before the file names the next step: after that
 * nothing else would say it.
 */
export function settleInWork({ draft, before, stamp }: Planning, { layout }: SbiPlace): void {
  if (layout !== 'document') return;
  for (const execution of before?.executions ?? []) {
    const { derived } = execution.metadata as { derived: Record<string, string> };
    if (derived['decision'] !== 'state' || derived['run'] === undefined) continue;
    const { completedAt, contentPath } = execution;
    const at = { ...stamp, now: completedAt!, lineId: `${stamp.lineId}-0` };
    appendLine(draft, { ...execution, artifacts: [projectPath(contentPath!)] }, at);
  }
}

function requireNew(events: readonly JournalEvent[], { sbiId, run, turn, step }: NewExecution): void {
  if (!events.some((event) => event.run === run && event.turn === turn && event.step === step)) return;
  throw exists({ sbiId, run, turn, step });
}

function exists(key: { sbiId: SbiId; run: number; turn: number; step: string }): StorageError {
  const { sbiId, run, turn, step } = key;
  return new StorageError('EXECUTION.EXISTS', `${sbiId} has run ${run}, turn ${turn}, step ${step} already`, {
    hint: 'append the next turn',
    details: { ...key },
  });
}

/** A line belongs to the run of the last pick before it. */
function requireCurrentRun(events: readonly JournalEvent[], run: number): void {
  const current = events.at(-1)?.run ?? 1;
  if (run !== current) throw cannotExpress(['run'], `run ${current} is in work; a claim begins the next`);
}

function stepFile({ directory }: SbiPlace, { step, turn }: NewExecution): TreePath {
  if (!Number.isSafeInteger(turn) || turn < 1) throw cannotExpress(['turn'], 'turns count from 1');
  if ((artifactSteps as readonly string[]).includes(step))
    return `${directory}/${step}_${turn}.md` as TreePath;
  throw cannotExpress(['step'], `only ${artifactSteps.join(', ')} have files`);
}

/** Keeps the bytes that stand at a step's name as those of the run they belong to. */
function keepEarlier({ draft }: Planning, file: TreePath, execution: NewExecution): void {
  if (draft.find(file) === undefined) return;
  const kept = earlierRunPath(file, draft);
  // What belongs to no earlier run is an execution of this one.
  if (kept === undefined) throw exists(execution);
  draft.put(kept, Buffer.concat([...draft.read(file)]));
}
