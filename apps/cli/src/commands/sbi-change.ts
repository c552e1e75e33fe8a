import { Argument, InvalidArgumentError } from '@commander-js/extra-typings';
import { parseSbiId, sbiStatuses } from '@deespec/domain';
import type { SbiFields, StoredSbi } from '@deespec/domain';
import { defineCommand, namedPath, wholeNumber } from '../command.js';
import { readInput } from '../input-file.js';
import { renderFields } from '../render.js';
import type { Context, Outcome, Session } from '../session.js';
import { withStorage } from '../with-storage.js';

/** Largest priority that any store keeps exactly. */
const MOST_PRIORITY = 999_999_999;

/** `sbi create`: a new backlog item. */
export function createCommand(session: Session) {
  return defineCommand('create', {
    summary: 'create a backlog item',
    description:
      'Create a backlog item in status READY, in the store that is the truth. Its id is the result.',
    examples: [
      ['deespec sbi create --title "Say what failed" --spec spec.md', 'a new item; prints its id'],
      ['echo "# Spec" | deespec sbi create --title "From a pipe" --spec -', 'the spec from standard input'],
      ['deespec sbi create --title "Soon" --label backend,urgent --priority 1', 'with labels and a priority'],
    ],
  })
    .requiredOption('--title <text>', 'its title')
    .option('--spec <file>', 'the content of its spec.md, byte for byte; - is standard input', namedPath)
    .option('--label <labels>', 'its labels, separated by commas', labelList)
    .option('--priority <n>', 'lower is earlier; 0 says nothing', wholeNumber(0, MOST_PRIORITY))
    .option('--id <id>', 'SBI- and 26 characters of 0-9 and A-Z (default: a new one)')
    .action(({ title, spec, label, priority, id }, command) =>
      session.run(command, async (context) => {
        const input = {
          title,
          ...(id === undefined ? {} : { id: parseSbiId(id) }),
          ...(label === undefined ? {} : { labels: label }),
          ...(priority === undefined ? {} : { priority }),
          ...(spec === undefined ? {} : { spec: await readInput(spec, context.signal) }),
        };
        const { value, warnings } = await withStorage(context, (storage) => storage.createSbi(input));
        return { data: value, text: () => `${value.id}\n`, warnings };
      }),
    );
}

/** `sbi set-status`: another status. */
export function setStatusCommand(session: Session) {
  return defineCommand('set-status', {
    summary: 'give a backlog item another status',
    examples: [
      ['deespec sbi set-status SBI-01M810CC01J2AAPQZVYRK1YMJR DONE', 'it is done'],
      ['deespec sbi set-status SBI-01M810CC01J2AAPQZVYRK1YMJR READY --json', 'with what it is afterwards'],
    ],
  })
    .argument('<id>', 'SBI- and 26 characters of 0-9 and A-Z')
    .addArgument(new Argument('<status>', 'the new status').choices(sbiStatuses))
    .action((...[id, status, , command]) =>
      session.run(command, (context) => change(context, { id, fields: { status } })),
    );
}

/** `sbi label`: other labels. */
export function labelCommand(session: Session) {
  return defineCommand('label', {
    summary: 'give a backlog item other labels',
    description: 'Give a backlog item other labels: those it had go.',
    examples: [
      ['deespec sbi label SBI-01M810CC01J2AAPQZVYRK1YMJR backend,urgent', 'these two'],
      ['deespec sbi label SBI-01M810CC01J2AAPQZVYRK1YMJR ""', 'none'],
    ],
  })
    .argument('<id>', 'SBI- and 26 characters of 0-9 and A-Z')
    .argument('<labels>', 'separated by commas; empty for none', labelList)
    .action((...[id, labels, , command]) =>
      session.run(command, (context) => change(context, { id, fields: { label: labels.join(',') } })),
    );
}

/** Changes the item as it is; somebody's change in between is an error, never lost. */
async function change(
  context: Context,
  { id, fields }: { readonly id: string; readonly fields: SbiFields },
): Promise<Outcome> {
  const sbiId = parseSbiId(id);
  const { value, warnings } = await withStorage(context, async (storage) =>
    storage.updateSbi(await storage.getSbi(sbiId), fields),
  );
  return { data: value, text: () => renderChanged(value), warnings };
}

function renderChanged({ id, status, label }: StoredSbi): string {
  return renderFields([
    ['id', id],
    ['status', status],
    ['label', label ?? 'none'],
  ]);
}

function labelList(text: string): readonly string[] {
  if (text === '') return [];
  const labels = text.split(',').map((label) => label.trim());
  if (labels.includes('')) throw new InvalidArgumentError('There is an empty label between its commas.');
  return labels;
}
