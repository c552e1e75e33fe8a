import { Option } from '@commander-js/extra-typings';
import { StorageError } from '@deespec/domain';
import type { PlanReport, RepairPlan, RepairReport } from '@deespec/storage';
import { defineCommand, namedPath } from '../command.js';
import { readInput } from '../input-file.js';
import { formatCount, formatNumberOf, renderFields, renderList } from '../render.js';
import { prepareReport, writeReport } from '../report-file.js';
import { safeJson, shellWord } from '../safe-text.js';
import type { Context, Outcome, Session } from '../session.js';

/** `repair`: rebuilds rows that can be derived, from a plan that was read before. */
export function repairCommand(session: Session) {
  return defineCommand('repair', {
    summary: 'rebuild rows that are not what the stored bytes say',
    description:
      'Rebuild rows of the database that are not what the stored bytes say, in two steps: a plan, and its application. ' +
      'Only rows that are derived are ever rebuilt; no stored byte is changed. What cannot be derived, "deespec check" names with what mends it.\n' +
      '--apply copies the database first, has the tree to itself, and does all of it or nothing. ' +
      'Exit 73: the database is not the one that the plan was made from. Exit 65: stored bytes are damaged, or this is no plan.',
    examples: [
      ['deespec repair --plan --output plan.json', 'which rows would be rebuilt; changes nothing'],
      ['deespec repair --apply plan.json', 'rebuild them'],
      ['deespec repair --plan | less', 'only look'],
    ],
  })
    .addOption(new Option('--plan', 'print the plan, or write it into --output').conflicts('apply'))
    .addOption(
      new Option('--output <file>', 'write the plan into this file, outside the tree')
        .argParser(namedPath)
        .conflicts('apply'),
    )
    .addOption(new Option('--apply <file>', 'rebuild the rows that this plan names').argParser(namedPath))
    .action(({ plan = false, output, apply }, command) =>
      session.run(command, async (context) => {
        if (apply !== undefined) return applyPlan(context, apply);
        if (plan) return makePlan(context, output);
        throw new StorageError('USAGE.INVALID', 'repair needs --plan or --apply <file>', {
          hint: 'begin with: deespec repair --plan --output plan.json',
        });
      }),
    );
}

async function makePlan(context: Context, output: string | undefined): Promise<Outcome> {
  const home = await context.home();
  if (output !== undefined) prepareReport(output, home, '--output');
  const { planRepair } = await import('@deespec/storage');
  const report = await planRepair({ home });
  if (output !== undefined) writeReport(output, safeJson(report.text), '--output');
  return {
    data: { home: report.home, database: report.database, plan: report.plan, output: output ?? null },
    text: () => (output === undefined ? safeJson(report.text) : renderPlan(report.plan)),
    notes: planNotes(report, output),
  };
}

function renderPlan({ rows, more, state }: RepairPlan): string {
  const lines = rows.map(({ table, key, is, from }) => {
    const what = from === undefined ? withoutSource(is) : `from ${from}`;
    return `${table} ${key}: ${is}; ${what}`;
  });
  return [
    rows.length === 0 ? 'no row would be rebuilt\n' : '',
    renderList(`${formatNumberOf(rows.length, 'row')} would be rebuilt:`, lines),
    more > 0 ? `and ${formatNumberOf(more, 'row')} by the next plan\n` : '',
    renderFields([['tree digest', state.digest]]),
  ].join('');
}

/** Rows without a source of their own: those of every item are made anew together, others are nothing's. */
function withoutSource(is: RepairPlan['rows'][number]['is']): string {
  return is === 'not derived' ? 'nothing derives it: it would be removed' : 'from all texts';
}

function planNotes({ plan, database }: PlanReport, output: string | undefined): readonly string[] {
  if (plan.rows.length === 0) {
    return [
      `nothing to repair in ${shellWord(database)}`,
      'hint: deespec check also finds what no repair mends',
    ];
  }
  if (output === undefined) return [];
  return [`hint: read the plan, then deespec repair --apply ${shellWord(output)}`];
}

async function applyPlan(context: Context, file: string): Promise<Outcome> {
  const home = await context.home();
  const plan = (await readInput(file, context.signal)).toString('utf8');
  const { applyRepair } = await import('@deespec/storage');
  const report = await applyRepair({ home, plan });
  return {
    data: report,
    text: () => renderRepair(report),
    notes: report.outcome === 'repaired' ? ['hint: deespec verify --check-all proves the whole'] : [],
  };
}

function renderRepair({ outcome, rows, more, database, digest, backup }: RepairReport): string {
  const done = outcome === 'repaired' ? `${formatNumberOf(rows, 'row')} rebuilt` : 'nothing to repair';
  return [
    `${done}\n`,
    more > 0 ? `${formatCount(more)} more are left: make another plan\n` : '',
    renderFields([
      ['database', database],
      ['tree digest', `${digest} (as before)`],
      ['copy of before', backup ?? ''],
    ]),
  ].join('');
}
