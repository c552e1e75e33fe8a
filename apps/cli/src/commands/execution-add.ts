import { Option } from '@commander-js/extra-typings';
import { decisions, parseSbiId, sbiStatuses } from '@deespec/domain';
import { defineCommand, namedPath, wholeNumber } from '../command.js';
import { toExecutionData } from '../execution-list.js';
import { readInput } from '../input-file.js';
import { renderExecution } from '../render-execution.js';
import type { Session } from '../session.js';
import { withStorage } from '../with-storage.js';

const counted = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** Longest time that a journal line says, milliseconds. */
const MOST_ELAPSED_MS = 1_000_000_000_000;

/** `execution add`: what a step did. */
export function addCommand(session: Session) {
  return defineCommand('add', {
    summary: 'add what a step of a backlog item did',
    description:
      'Add one step of one turn that ended now: its artifact, its line in the journal and the state of the item. ' +
      'Nothing is replaced: a run, turn and step that is there already is an error.',
    examples: [
      [
        'deespec execution add SBI-01M810CC01J2AAPQZVYRK1YMJR --run 1 --turn 3 --step implement ' +
          '--status WIP --decision PENDING --content implement.md',
        'with its artifact, byte for byte',
      ],
      [
        'deespec execution add SBI-01M810CC01J2AAPQZVYRK1YMJR --run 1 --turn 3 --step review ' +
          '--status DONE --decision SUCCEEDED --elapsed-ms 1200 --content - < review.md',
        'from standard input',
      ],
    ],
  })
    .argument('<sbi>', 'the backlog item')
    .requiredOption('--run <n>', 'which pick of the item, counted from 1', counted)
    .requiredOption('--turn <n>', 'counted from 1 within the run', counted)
    .requiredOption('--step <step>', 'such as implement or review')
    .addOption(
      new Option('--status <status>', 'of the item after it').choices(sbiStatuses).makeOptionMandatory(),
    )
    .addOption(
      new Option('--decision <decision>', 'that it ended with').choices(decisions).makeOptionMandatory(),
    )
    .option('--attempt <n>', 'counted from 1 (default: 1)', counted)
    .option('--elapsed-ms <n>', 'how long it took, milliseconds', wholeNumber(0, MOST_ELAPSED_MS))
    .option('--error <text>', 'what went wrong')
    .option('--content <file>', 'its artifact, byte for byte; - is standard input', namedPath)
    .action((sbi, { run, turn, step, status, decision, ...options }, command) =>
      session.run(command, async (context) => {
        const { attempt, elapsedMs, error, content } = options;
        const execution = {
          ...{ sbiId: parseSbiId(sbi), run, turn, step, status, decision },
          ...(attempt === undefined ? {} : { attempt }),
          ...(elapsedMs === undefined ? {} : { elapsedMs }),
          ...(error === undefined ? {} : { error }),
          ...(content === undefined ? {} : { content: await readInput(content, context.signal) }),
        };
        const { value, warnings } = await withStorage(context, (storage) =>
          storage.appendExecution(execution),
        );
        return { data: toExecutionData(value), text: () => renderExecution(value), warnings };
      }),
    );
}
