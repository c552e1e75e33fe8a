import { parseSbiId, type SbiId, type TreeStore } from '@deespec/domain';

import { putText } from './expectations.js';

/** Two SBIs; `two` sorts first by id. */
export const one = parseSbiId('SBI-01M810CC01J2AAPQZVYRK1YMJR');
export const two = parseSbiId('SBI-01M810CC093DHZQK57AH103BW2');

/** Ids in the order of their last characters. */
export function ids(count: number): SbiId[] {
  return Array.from({ length: count }, (_, at) =>
    parseSbiId(`SBI-01M810CC0000000000000000${String(at).padStart(2, '0')}`),
  );
}

/** An SBI of layout A. */
export async function putState(store: TreeStore, id: SbiId, state: object): Promise<void> {
  await putText(
    store,
    `specs/sbi/${id}/state.json`,
    JSON.stringify({ status: 'READY', ...state }, undefined, 2),
  );
}

/** An SBI of layout B. */
export async function putMeta(store: TreeStore, id: SbiId, yaml: string): Promise<void> {
  await putText(store, `specs/sbi/${id}/meta.yml`, `id: ${id}\n${yaml}`);
}

/** The whole journal of layout B. */
export async function putJournal(store: TreeStore, lines: readonly object[]): Promise<void> {
  await putText(store, 'var/journal.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** A line that starts a run. */
export function pickLine(id: SbiId, ts: string): object {
  const artifacts = [{ type: 'pick', id, task_id: `T-${id}`, spec_path: `.deespec/specs/sbi/${id}` }];
  return { artifacts, decision: 'PENDING', elapsed_ms: 0, error: '', step: 'plan', ts, turn: 1 };
}

/** A line that names a step file. */
export function stepLine(id: SbiId, file: string, values: object): object {
  const artifacts = [`.deespec/specs/sbi/${id}/${file}`];
  return { artifacts, decision: 'PENDING', elapsed_ms: 9, error: '', attempt: 1, status: 'WIP', ...values };
}
