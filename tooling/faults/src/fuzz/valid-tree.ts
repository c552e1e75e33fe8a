import { treeOf, type FuzzTree } from './fuzz-tree.js';

const idA = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';
const idB = 'SBI-01M810CC02J2AAPQZVYRK1YMJS';

const stateA = `{
  "version": 3,
  "id": "${idA}",
  "task_id": "TASK-7",
  "title": "A title: with 設計 and \\"quotes\\"",
  "labels": ["backend", "db"],
  "priority": 5,
  "status": "REVIEW&WIP",
  "current": "implement",
  "turn": 2,
  "attempt": 1,
  "decision": "NEEDS_CHANGES",
  "lease_expires_at": "2026-01-02T03:14:05.123456789+09:00",
  "created_at": "2026-01-01T00:00:00Z",
  "updated_at": "2026-01-02T03:04:05Z",
  "completed_at": "",
  "inputs": {"spec": "spec.md", "depth": [1, [2, [3.5e2]]]},
  "last_artifacts": {"implement": "implement_2.md"},
  "meta": {"big": 12345678901234567890, "escaped": "\\u00e9\\ud83d\\ude80"}
}
`;

const metaB = `# written by hand
id: ${idB}
title: "A \\"quoted\\" title"
labels: [backend, 'data base']
created_at: 2026-01-01T00:00:00Z
updated_at: '2026-01-02T03:04:05+09:00'
priority: 3
por: 12
depends_on:
  - ${idA}
  - other
phase: |
  several
  lines
role: >-
  folded
nested:
  deep: {a: 1, b: [true, null, ~]}
`;

const goState = `{"version": 1, "current": "review", "turn": 3, "wip": "${idB}", "status": "REVIEW", "attempt": 1,
 "decision": "", "inputs": {}, "artifacts": {"implement": "x"}, "lease_expires_at": "", "meta": {"updated_at": "2026-01-02T03:04:05Z"}}
`;

const journal = [
  `{"ts":"2026-01-01T00:00:00Z","turn":1,"step":"plan","decision":"PENDING","elapsed_ms":10,"error":"","artifacts":[{"type":"pick","id":"${idB}","task_id":"TASK-8","spec_path":".deespec/specs/sbi/${idB}_slug/spec.md"}]}`,
  `{"ts":"2026-01-01T00:10:00.5Z","turn":2,"step":"implement","status":"WIP","decision":"","elapsed_ms":5000,"error":"","artifacts":[".deespec/specs/sbi/${idB}_slug/implement_2.md"]}`,
  `{"ts":"2026-01-01T00:20:00Z","turn":2,"step":"review","status":"REVIEW","decision":"NEEDS_CHANGES","elapsed_ms":5000,"error":"x","attempt":2,"artifacts":[".deespec/specs/sbi/${idB}_slug/review_2.md"]}`,
  `{"ts":"2026-01-01T00:20:00Z","turn":2,"step":"review","status":"REVIEW","decision":"NEEDS_CHANGES","elapsed_ms":1,"error":"","artifacts":".deespec/specs/sbi/${idB}_slug/review_2.md"}`,
  `{"ts":"2026-01-01T00:30:00+09:00","turn":3,"step":"implement","decision":"OK","elapsed_ms":1,"error":"","artifacts":[]}`,
  '',
].join('\n');

const manifest = `{
  "id": "txn_1",
  "description": "register",
  "created_at": "2026-01-01T00:00:00Z",
  "files": [{"source": "spec.md", "destination": ".deespec/specs/sbi/${idA}/spec.md", "operation": "create", "checksum": "00", "size": 1}],
  "meta": {"user": "somebody", "session_id": "s1"}
}
`;

/** Where the files stand whose bytes are mutated. */
export const targets = [
  `specs/sbi/${idA}/state.json`,
  `specs/sbi/${idB}_slug/meta.yml`,
  'setting.json',
  'workflow.json',
  'etc/workflow.yaml',
  'var/state.json',
  'var/journal.ndjson',
  'journal/2026-01-01/txn_1/manifest.json',
  'journal/2026-01-01/txn_1/status.commit',
] as const;

/** A small tree with both layouts and every kind of file that is interpreted; no rule finds an error in it. */
export function validTree(): FuzzTree {
  return treeOf({
    [targets[0]]: stateA,
    [`specs/sbi/${idA}/spec.md`]: '# A\n',
    [`specs/sbi/${idA}/implement_2.md`]: 'text\nDECISION: OK\n',
    [`specs/sbi/${idA}/attachments/notes.txt`]: 'notes\n',
    [targets[1]]: metaB,
    [`specs/sbi/${idB}_slug/spec.md`]: '# B\n',
    [`specs/sbi/${idB}_slug/implement_2.md`]: 'work\n',
    [`specs/sbi/${idB}_slug/review_2.md`]: '**DECISION**: NEEDS_CHANGES\n',
    [targets[2]]: '{\n  "max_turns": 8,\n  "agent_bin": "claude",\n  "nested": {"a": [1, 2.50, 1e3]}\n}\n',
    [targets[3]]: '{"name": "default", "steps": [{"id": "plan"}, {"id": "done"}], "limit": 1.0}\n',
    [targets[4]]:
      "label: default\nsteps:\n  - id: plan\n    agent: x\nratio: 1.50\nspelled: 012\n'quoted key': ~\n",
    [targets[5]]: goState,
    [targets[6]]: journal,
    [targets[7]]: manifest,
    'journal/2026-01-01/txn_1/status.intent': '{}\n',
    [targets[8]]:
      '{"committed_at": "2026-01-01T00:00:01Z", "success": true, "committed_files": ["spec.md"]}\n',
    'var/txn/txn_2/status.intent': '{}\n',
    'knowledge/notes.md': 'data\n',
  });
}
