import { Option } from '@commander-js/extra-typings';
import { parseSbiId, parseSearch, sbiStatuses } from '@deespec/domain';
import type { Execution, Json, Sbi } from '@deespec/domain';
import { defineCommand, storeOption, wholeNumber } from '../command.js';
import { listAllExecutions, renderExecutions, toExecutionData } from '../execution-list.js';
import { localTime, renderFields } from '../render.js';
import type { Field } from '../render.js';
import type { Session } from '../session.js';
import { withIndex } from '../with-index.js';
import { createCommand, labelCommand, setStatusCommand } from './sbi-change.js';

/** `sbi`: the backlog items. */
export function sbiCommand(session: Session) {
  const group = defineCommand('sbi', {
    summary: 'look at backlog items (SBIs) and change them',
    examples: [
      ['deespec sbi list --status WIP', 'the items in work'],
      ['deespec sbi show SBI-01M810CC01J2AAPQZVYRK1YMJR', 'one item with its executions'],
      ['deespec sbi create --title "Say what failed" --spec spec.md', 'a new item'],
    ],
  });
  return group
    .addCommand(listCommand(session))
    .addCommand(showCommand(session))
    .addCommand(createCommand(session))
    .addCommand(setStatusCommand(session))
    .addCommand(labelCommand(session));
}

function listCommand(session: Session) {
  return defineCommand('list', {
    summary: 'list backlog items, oldest first',
    examples: [
      ['deespec sbi list', 'the first 100'],
      ['deespec sbi list --status DONE --label backend --limit 20', 'by status and label'],
      ['deespec sbi list --search "lease timeout"', 'items that have both words'],
      ['deespec sbi list --after SBI-01M810CC01J2AAPQZVYRK1YMJR', 'the page after this item'],
    ],
  })
    .addOption(new Option('--status <status>', 'only items in this status').choices(sbiStatuses))
    .option('--label <label>', 'only items that carry this label')
    .option('--search <text>', 'only items with every word of it in title, specification or executions')
    .option('--limit <n>', 'rows, 1 to 1000', wholeNumber(1, 1000), 100)
    .option('--after <id>', 'list those after this item')
    .addOption(storeOption())
    .action((options, command) =>
      session.read(command, async (context) => {
        const { status, label, search, limit, store } = options;
        if (search !== undefined) parseSearch(search); // what is wrong with it is said before a tree is looked for
        const filter = {
          limit,
          ...(status === undefined ? {} : { status }),
          ...(label === undefined ? {} : { label }),
          ...(search === undefined ? {} : { search }),
          ...(options.after === undefined ? {} : { after: parseSbiId(options.after) }),
        };
        const items = await withIndex({ context, store }, (index) => index.listSbis(filter));
        const nextAfter = items.length === limit ? items.at(-1)!.id : null;
        return {
          data: { items, nextAfter },
          text: () => renderSbis(items),
          notes:
            nextAfter === null ? [] : [`hint: there may be more; --after ${nextAfter} lists the next page`],
        };
      }),
    );
}

function showCommand(session: Session) {
  return defineCommand('show', {
    summary: 'show one backlog item and its executions',
    description:
      'Show one backlog item: its columns, metadata, where derived values came from, and its executions.',
    examples: [
      ['deespec sbi show SBI-01M810CC01J2AAPQZVYRK1YMJR', 'from the store the mode reads'],
      ['deespec sbi show SBI-01M810CC01J2AAPQZVYRK1YMJR --store sqlite', 'from the database'],
    ],
  })
    .argument('<id>', 'SBI- and 26 characters of 0-9 and A-Z')
    .addOption(storeOption())
    .action((id, { store }, command) =>
      session.read(command, async (context) => {
        const sbiId = parseSbiId(id);
        const found = await withIndex({ context, store }, async (index) => ({
          sbi: await index.getSbi(sbiId),
          executions: await listAllExecutions(index, { sbiId }),
        }));
        return {
          data: { sbi: found.sbi, executions: found.executions.map(toExecutionData) },
          text: () => renderSbi(found.sbi, found.executions),
        };
      }),
    );
}

async function renderSbis(items: readonly Sbi[]): Promise<string> {
  const { renderTable } = await import('../render-table.js');
  return renderTable<Sbi>(
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'STATUS', value: ({ status }) => status },
      { title: 'PRIORITY', value: ({ priority }) => String(priority) },
      { title: 'TITLE', value: ({ metadata }) => text(metadata['title']), maxLength: 50 },
      { title: 'LABEL', value: ({ label = '' }) => label, maxLength: 30 },
      { title: 'UPDATED', value: ({ updatedAt }) => localTime(updatedAt) },
    ],
    items,
  );
}

async function renderSbi(sbi: Sbi, executions: readonly Execution[]): Promise<string> {
  const { title, labels, derived, ...others } = sbi.metadata;
  const fields: readonly Field[] = [
    ['id', sbi.id],
    ['title', text(title)],
    ['status', sbi.status],
    ['priority', String(sbi.priority)],
    ['task', sbi.taskId],
    ['label', sbi.label ?? ''],
    ['labels', labels === undefined ? '' : JSON.stringify(labels)],
    ['created', localTime(sbi.createdAt)],
    ['updated', localTime(sbi.updatedAt)],
    ['completed', sbi.completedAt === undefined ? '' : localTime(sbi.completedAt)],
    ...metadataFields('metadata', others),
    ...metadataFields('derived', derived),
  ];
  return `${renderFields(fields)}\n${await renderExecutions(executions)}`;
}

function metadataFields(label: string, value: Json | undefined): readonly Field[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([key, item]) => [`${label} ${key}`, text(item)]);
}

function text(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
