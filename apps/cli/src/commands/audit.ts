import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { parseTime, StorageError } from '@deespec/domain';
import type { AuditEntry, AuditFilter, Index } from '@deespec/domain';
import { auditFormats, auditWriter, toAuditData } from '../audit-format.js';
import type { AuditFormat } from '../audit-format.js';
import { defineCommand, storeOption, wholeNumber } from '../command.js';
import { localTime } from '../render.js';
import type { Context, Outcome, Session } from '../session.js';
import { withIndex } from '../with-index.js';
import { verifyCommand } from './audit-verify.js';

/** Rows asked for at once, the most a page may have, and the most that a table or one JSON document holds. */
const PAGE_ROWS = 1000;

/** Rows of a table when nobody says how many. */
const TABLE_ROWS = 100;

/** `audit`: who changed what. */
export function auditCommand(session: Session) {
  return defineCommand('audit', {
    summary: 'list who changed what, or prove that nobody changed the list',
    description:
      'List the audit log, oldest first: every change that was made through DeeSpec Storage, and the transactions ' +
      'of the journal.\nWith --format it is written for another program, whole unless --limit says how many.',
    examples: [
      ['deespec audit', 'the first 100 rows'],
      ['deespec audit --entity SBI-01M810CC01J2AAPQZVYRK1YMJR --since 2026-11-01', 'one item, since a day'],
      ['deespec audit --format csv > audit.csv', 'all of it, for a spreadsheet'],
      ['deespec audit verify', 'follow the chain of hashes'],
    ],
  })
    .option('--entity <id>', 'only this SBI or setting')
    .option('--since <time>', 'only from this time on: with its zone, or a day in UTC', pointInTime)
    .addOption(new Option('--format <format>', 'write rows for another program').choices(auditFormats))
    .option('--limit <n>', 'rows (default: 100; with --format all)', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--offset <n>', 'leave out so many rows first', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .addOption(storeOption())
    .addCommand(verifyCommand(session))
    .action(({ entity, since, format, limit, offset, store }, command) =>
      session.read(command, async (context) => {
        requireOneForm(context, format);
        const isTable = format === undefined || context.json;
        const page = {
          offset,
          limit: isTable ? tableLimit(limit) : (limit ?? Infinity),
          ...(entity === undefined ? {} : { entityId: entity }),
          ...(since === undefined ? {} : { since }),
        };
        return withIndex({ context, store }, (index) =>
          isTable ? listRows(index, page) : writeRows(context, auditPages(index, page), format),
        );
      }),
    );
}

/** @throws StorageError `USAGE.INVALID` */
function requireOneForm({ json }: Context, format: AuditFormat | undefined): void {
  if (!json || format === undefined || format === 'json') return;
  throw new StorageError('USAGE.INVALID', `--json prints one JSON document, --format ${format} does not`, {
    hint: `leave out one of them: "deespec audit --format ${format}" prints the rows alone`,
  });
}

/** @throws StorageError `USAGE.INVALID` */
function tableLimit(limit = TABLE_ROWS): number {
  if (limit <= PAGE_ROWS) return limit;
  throw new StorageError('USAGE.INVALID', `a table or one JSON document holds at most ${PAGE_ROWS} rows`, {
    hint: 'give --format, or list the next rows with --offset',
    details: { limit, mostRows: PAGE_ROWS },
  });
}

type Page = AuditFilter & { readonly offset: number; readonly limit: number };

async function listRows(index: Index, page: Page): Promise<Outcome> {
  const entries = await index.listAudit(page);
  const nextOffset = entries.length === page.limit ? page.offset + page.limit : null;
  return {
    data: { items: entries.map(toAuditData), nextOffset },
    text: () => renderRows(entries),
    notes: nextOffset === null ? [] : [`hint: there may be more; --offset ${nextOffset} lists the next page`],
  };
}

/** Rows page by page, so that memory stays flat however many there are. */
async function* auditPages(index: Index, { offset, limit, ...filter }: Page): AsyncGenerator<AuditEntry[]> {
  for (let seen = 0; seen < limit;) {
    const rows = Math.min(PAGE_ROWS, limit - seen);
    const page = await index.listAudit({ ...filter, offset: offset + seen, limit: rows });
    if (page.length > 0) yield page;
    if (page.length < rows) return;
    seen += rows;
  }
}

async function writeRows(
  { terminal }: Context,
  pages: AsyncGenerator<AuditEntry[]>,
  format: AuditFormat,
): Promise<Outcome> {
  const writer = auditWriter(format, terminal.stdout.isTTY === true ? 'terminal' : 'file');
  await terminal.writeAll([writer.begin]);
  let before = '';
  for await (const page of pages) {
    await terminal.writeAll([before + page.map(writer.row).join(writer.between)]);
    if (terminal.outputClosed) break;
    before = writer.between;
  }
  await terminal.writeAll([writer.end]);
  return { data: null, text: () => '' };
}

async function renderRows(entries: readonly AuditEntry[]): Promise<string> {
  if (entries.length === 0) return 'no row\n';
  const { renderTable } = await import('../render-table.js');
  return renderTable<AuditEntry>(
    [
      { title: 'SEQ', value: ({ seq }) => (seq === undefined ? '' : String(seq)) },
      { title: 'TIME', value: ({ timestamp }) => localTime(timestamp) },
      { title: 'USER', value: ({ user = '' }) => user, maxLength: 20 },
      { title: 'ACTION', value: ({ entityType, action }) => `${entityType} ${action}`, maxLength: 30 },
      { title: 'ENTITY', value: ({ entityId }) => entityId, maxLength: 40 },
      { title: 'OLD', value: ({ oldValue = '' }) => oldValue, maxLength: 40 },
      { title: 'NEW', value: ({ newValue = '' }) => newValue, maxLength: 40 },
    ],
    entries,
  );
}

function pointInTime(text: string): string {
  const time = parseTime(text) ?? parseTime(`${text}T00:00:00Z`);
  if (time !== undefined) return time;
  throw new InvalidArgumentError(
    'It must be a time such as 2026-11-24T17:00:00Z, or a day such as 2026-11-24.',
  );
}
