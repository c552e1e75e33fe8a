import { Option } from '@commander-js/extra-typings';
import type { CheckReport, ConsistencyRule, RuleReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { formatCount, formatNumberOf, renderFields } from '../render.js';
import { safeLines, safeText } from '../safe-text.js';
import type { Outcome, Session } from '../session.js';

/** `check`: asks the database whether it contradicts itself. */
export function checkCommand(session: Session) {
  return defineCommand('check', {
    summary: 'ask the database whether it contradicts itself',
    description:
      'Ask the database, rule by rule, whether it contradicts itself: entries and their bytes, rows and what the bytes say, ' +
      'turns, leases, debts, evidence, the chain of changes. Reads only.\n' +
      'Exit 0: no finding. Exit 2: findings, grouped by rule, each with what mends it. Exit 66: there is no database.',
    examples: [
      ['deespec check', 'every rule'],
      ['deespec check --rule content-hash --rule chunk-gap', 'these rules only'],
      ['deespec check --list --sql', 'every rule with its query, to paste into the sqlite3 shell'],
    ],
  })
    .option('--rule <rule>', 'ask this rule only; can be repeated', collect, [])
    .addOption(new Option('--list', 'list the rules; looks at no database'))
    .option('--sql', 'also print the query of each rule that is shown, or what looks instead')
    .action(({ rule: rules, list = false, sql = false }, command) =>
      session.run(command, async (context) => {
        const { checkDatabase, listRules } = await import('@deespec/storage');
        if (list) return listOutcome(await listRules(rules), sql);
        const home = await context.home();
        const report = await checkDatabase({ home, rules, signal: context.signal });
        return {
          data: { ...report, rules: report.rules.map((one) => (sql ? one : withoutQuery(one))) },
          text: () => renderReport(report, sql),
          ...(report.ok ? {} : { exitCode: 2 as const }),
        };
      }),
    );
}

function collect(rule: string, before: string[]): string[] {
  return [...before, rule];
}

function listOutcome(rules: readonly ConsistencyRule[], sql: boolean): Outcome {
  return {
    data: { rules: rules.map((rule) => (sql ? rule : withoutQuery(rule))) },
    text: () => rules.map((rule) => renderRule(rule, sql)).join(''),
  };
}

function withoutQuery<Rule extends ConsistencyRule>({ sql: _sql, code: _code, ...rule }: Rule) {
  return rule;
}

function renderRule(rule: ConsistencyRule, sql: boolean): string {
  const { rule: name, severity, title, repair } = rule;
  const mended = repair === 'rebuilds' ? ', repair mends it' : '';
  return `${name} (${severity}${mended}): ${title}\n${sql ? renderQuery(rule) : ''}`;
}

function renderQuery({ sql, code }: Pick<ConsistencyRule, 'sql' | 'code'>): string {
  const text = sql ?? `no query: ${code ?? ''}`;
  return `${text.replaceAll(/^/gmu, '    ')}\n`;
}

function renderReport(report: CheckReport, sql: boolean): string {
  const shown = report.rules.filter(({ count, unchecked }) => count > 0 || unchecked !== undefined);
  const asked = formatNumberOf(report.rules.length, 'rule');
  const headline = report.ok
    ? `no finding of ${asked}\n`
    : `${formatNumberOf(report.count, 'finding')} of ${formatNumberOf(shown.length, 'rule')}; ${asked} asked\n`;
  const { state } = report;
  return [
    headline,
    ...shown.map((rule) => renderFindings(rule, sql)),
    renderFields([
      ['database', report.database],
      ['mode', state === undefined ? '' : `${state.mode}, epoch ${state.epoch}`],
      ['took', `${(report.durationMs / 1000).toFixed(1)} s`],
    ]),
  ].join('');
}

function renderFindings(report: RuleReport, sql: boolean): string {
  const { rule, severity, title, count, first, unchecked, why, fix } = report;
  const number = unchecked === undefined ? formatNumberOf(count, 'finding') : 'not looked at';
  const hidden = count - first.length;
  return [
    `\n${severity} ${rule}: ${number}: ${title}\n`,
    ...first.map(({ entity, found }) => `  ${safeText(entity)}: ${safeText(found)}\n`),
    hidden > 0 ? `  ... and ${formatCount(hidden)} more\n` : '',
    unchecked === undefined ? '' : `  ${safeText(unchecked)}\n`,
    `  why: ${safeText(why)}\n`,
    `  fix: ${safeText(fix)}\n`,
    sql ? safeLines(renderQuery(report)) : '',
  ].join('');
}
