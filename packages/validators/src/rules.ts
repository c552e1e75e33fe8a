import type { Execution, Finding, Sbi, Severity } from '@deespec/domain';

/** One rule, for people: why it exists and what to do about a finding. */
export interface ValidatorRule {
  readonly rule: string;
  readonly severity: Severity;
  readonly why: string;
  readonly fix: string;
}

const turnSequenceRule = {
  rule: 'turn-sequence',
  severity: 'warning',
  why: 'turns of one run follow each other without a gap; a gap means that a step was lost or never recorded',
  fix: 'look for the missing step in the journal and in histories/; nothing is withheld, the rows stay as they are',
} as const satisfies ValidatorRule;

const statusConsistencyRule = {
  rule: 'status-consistency',
  severity: 'warning',
  why: 'an SBI that is DONE has an execution that was decided SUCCEEDED (OK in older trees)',
  fix: 'check whether the SBI is really done; if it is not, set its status back with the tool that owns the tree',
} as const satisfies ValidatorRule;

/** Every rule of this package. `docs/rules.md` has one row for each. */
export const validatorRules: readonly ValidatorRule[] = [turnSequenceRule, statusConsistencyRule];

/**
 * Findings of `turn-sequence`: per run, the distinct turns are consecutive, from 1 when the run was picked (the pick is
 * its turn 1), else from the lowest turn recorded.
 *
 * Source: migration strategy, "Validation Rules" (`TurnSequenceRule`); docs/adr/0005.
 */
export function turnSequence(sbi: Sbi, executions: readonly Execution[]): Finding[] {
  const runs = new Map<number, Execution[]>();
  for (const execution of executions) {
    const run = runs.get(execution.run);
    if (run === undefined) runs.set(execution.run, [execution]);
    else run.push(execution);
  }
  return [...runs.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([run, members]) => findGap(sbi, run, members));
}

/**
 * The finding of `status-consistency`, or none.
 *
 * Source: migration strategy, "Consistency Checks" (status consistency).
 */
export function statusConsistency(sbi: Sbi, executions: readonly Execution[]): Finding[] {
  if (sbi.status !== 'DONE' || executions.some((e) => e.decision === 'SUCCEEDED' || e.decision === 'OK')) {
    return [];
  }
  const found = [...new Set(executions.map((execution) => execution.decision))].sort();
  return [
    {
      rule: statusConsistencyRule.rule,
      severity: statusConsistencyRule.severity,
      entity: sbi.id,
      expected: 'status DONE with an execution that was decided SUCCEEDED or OK',
      actual: found.length === 0 ? 'status DONE without executions' : `only ${found.join(', ')}`,
      fix: statusConsistencyRule.fix,
    },
  ];
}

function findGap(sbi: Sbi, run: number, executions: readonly Execution[]): Finding[] {
  const turns = [...new Set(executions.map((execution) => execution.turn))].sort((a, b) => a - b);
  const picked = executions.some((execution) => execution.turn === 1 || execution.step === 'plan');
  const first = picked ? 1 : turns[0]!;
  const missing: string[] = [];
  let next = first;
  for (const turn of turns) {
    if (turn > next) missing.push(turn === next + 1 ? `${next}` : `${next} to ${turn - 1}`);
    next = turn + 1;
  }
  if (missing.length === 0) return [];
  return [
    {
      rule: turnSequenceRule.rule,
      severity: turnSequenceRule.severity,
      entity: sbi.id,
      expected: `run ${run}: turns ${first} to ${turns.at(-1)!} without a gap`,
      actual: `run ${run}: missing ${missing.join(', ')}`.slice(0, 200),
      fix: turnSequenceRule.fix,
    },
  ];
}
