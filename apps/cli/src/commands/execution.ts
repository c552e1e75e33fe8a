import { parseSbiId, StorageError } from '@deespec/domain';
import type { Execution, ExecutionKey } from '@deespec/domain';
import { defineCommand, storeOption, wholeNumber } from '../command.js';
import { listAllExecutions, renderExecutions, toExecutionData } from '../execution-list.js';
import { renderExecution } from '../render-execution.js';
import { jsonBytes, safeContent } from '../safe-text.js';
import type { Context, Outcome, Session } from '../session.js';
import { withIndex } from '../with-index.js';
import { addCommand } from './execution-add.js';

/** `execution`: what was done on the backlog items. */
export function executionCommand(session: Session) {
  const group = defineCommand('execution', {
    summary: 'look at executions and add them',
    description: 'Look at executions and add them: one step of one turn of one run of a backlog item.',
    examples: [
      ['deespec execution list --sbi SBI-01M810CC01J2AAPQZVYRK1YMJR', 'the executions of one item'],
      [
        'deespec execution show SBI-01M810CC01J2AAPQZVYRK1YMJR --run 1 --turn 2 --step implement',
        'one execution',
      ],
    ],
  });
  return group
    .addCommand(listCommand(session))
    .addCommand(showCommand(session))
    .addCommand(addCommand(session));
}

const turnNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER);

function listCommand(session: Session) {
  return defineCommand('list', {
    summary: 'list the executions of one backlog item',
    examples: [
      ['deespec execution list --sbi SBI-01M810CC01J2AAPQZVYRK1YMJR', 'all runs'],
      ['deespec execution list --sbi SBI-01M810CC01J2AAPQZVYRK1YMJR --run 2', 'the second run'],
    ],
  })
    .requiredOption('--sbi <id>', 'the backlog item')
    .option('--run <n>', 'only this run, counted from 1', turnNumber)
    .addOption(storeOption())
    .action(({ sbi, run, store }, command) =>
      session.read(command, async (context) => {
        const sbiId = parseSbiId(sbi);
        const executions = await withIndex({ context, store }, async (index) => {
          await index.getSbi(sbiId);
          return listAllExecutions(index, { sbiId, ...(run === undefined ? {} : { run }) });
        });
        return {
          data: { items: executions.map(toExecutionData) },
          text: () => renderExecutions(executions),
        };
      }),
    );
}

function showCommand(session: Session) {
  return defineCommand('show', {
    summary: 'show one execution or its artifact',
    description:
      'Show one execution; with --content the bytes of its artifact: unchanged into a file or pipe, escaped on a ' +
      'terminal, text or base64 with --json.',
    examples: [
      [
        'deespec execution show SBI-01M810CC01J2AAPQZVYRK1YMJR --run 1 --turn 3 --step review',
        'its status, decision, times and metadata',
      ],
      [
        'deespec execution show SBI-01M810CC01J2AAPQZVYRK1YMJR --run 1 --turn 3 --step review --content > review.md',
        'the artifact, byte for byte',
      ],
    ],
  })
    .argument('<sbi>', 'the backlog item')
    .requiredOption('--run <n>', 'which pick of the item, counted from 1', turnNumber)
    .requiredOption('--turn <n>', 'counted from 1 within the run', turnNumber)
    .requiredOption('--step <step>', 'such as implement or review')
    .option('--content', 'print the artifact instead')
    .addOption(storeOption())
    .action((sbi, { run, turn, step, content = false, store }, command) =>
      session.read(command, async (context) => {
        const key: ExecutionKey = { sbiId: parseSbiId(sbi), run, turn, step };
        return withIndex({ context, store }, async (index) => {
          const execution = await index.getExecution(key);
          if (!content) return { data: toExecutionData(execution), text: () => renderExecution(execution) };
          return contentOutcome(context, { execution, bytes: await index.readContent(key) });
        });
      }),
    );
}

function contentOutcome(
  { terminal }: Context,
  { execution, bytes }: { execution: Execution; bytes: Buffer | undefined },
): Outcome {
  if (bytes === undefined) {
    const { sbiId, run, turn, step } = execution;
    throw new StorageError(
      'FILE.NOT_FOUND',
      `run ${run}, turn ${turn}, step "${step}" of ${sbiId} has no artifact`,
      {
        hint: 'none was written, or a later run overwrote it; without --content the execution itself is shown',
        details: { sbiId, run, turn, step },
      },
    );
  }
  return {
    data: { ...toExecutionData(execution), sizeBytes: bytes.length, content: jsonBytes(bytes) },
    text: () => (terminal.stdout.isTTY === true ? safeContent(bytes) : bytes),
  };
}
