import type { AuditReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { formatCount, renderFields, renderList } from '../render.js';
import type { Session } from '../session.js';

/** `audit verify`: follows the chain of changes. */
export function verifyCommand(session: Session) {
  return defineCommand('verify', {
    summary: 'prove that no record of a change was altered or is missing',
    description:
      'Follow the chain of changes: each record hashes the one before it. The chain stands in the database and ' +
      'outside it, and both are compared.\nExit 0: whole. Exit 2: records that are not what they should be.',
    examples: [
      ['deespec audit verify', 'follow the chain'],
      ['deespec audit verify --json', '"head" is the last record: keep it elsewhere, and compare it later'],
    ],
  }).action((_options, command) =>
    session.read(command, async (context) => {
      const home = await context.home();
      const { verifyAudit } = await import('@deespec/storage');
      const report = await verifyAudit({ home });
      return {
        data: report,
        text: () => renderAudit(report),
        ...(report.ok ? {} : { exitCode: 2 as const }),
        notes:
          report.ok && report.head !== undefined
            ? ['hint: whoever keeps the head elsewhere can prove it later']
            : [],
      };
    }),
  );
}

function renderAudit({ ok, records, head, problems }: AuditReport): string {
  return [
    ok ? 'the chain of changes is whole\n' : 'the chain of changes is broken\n',
    renderFields([
      [
        'records',
        `${formatCount(records.database)} in the database, ${formatCount(records.outside)} outside it`,
      ],
      ['head', head === undefined ? '' : `${head.seq} ${head.hash}`],
    ]),
    renderList(
      'records that are not what they should be:',
      problems.map(({ where, seq, message }) => `${place(where)}, record ${seq}: ${message}`),
    ),
  ].join('');
}

function place(where: AuditReport['problems'][number]['where']): string {
  return where === 'database' ? 'in the database' : 'outside the database';
}
