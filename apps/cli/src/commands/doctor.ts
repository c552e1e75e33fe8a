import { isStorageError } from '@deespec/domain';
import { defineCommand } from '../command.js';
import { healthOutcome } from '../render-health.js';
import type { Context, Session } from '../session.js';

/** `doctor`: what the program runs on, and the tree. */
export function doctorCommand(session: Session) {
  return defineCommand('doctor', {
    summary: 'check Node, SQLite, file system, permissions, clock and the tree, and say how to mend them',
    description:
      'Check what the program runs on, and the tree as "health" does: each line says what was found and, where ' +
      'something is wrong, what to do. Works where SQLite cannot be loaded, and where there is no tree.\n' +
      'Exit 0: nothing found. Exit 2: warnings. Exit 1: a check failed.',
    examples: [
      ['deespec doctor', 'when something does not work'],
      ['deespec doctor --json', 'for a bug report'],
    ],
  }).action((_options, command) =>
    session.run(command, async (context) => {
      const { runDoctor } = await import('@deespec/storage');
      const home = await findHome(context);
      return healthOutcome(await runDoctor(home === undefined ? {} : { home }));
    }),
  );
}

/** The tree; `undefined` when none was named and none is found. */
async function findHome(context: Context): Promise<string | undefined> {
  try {
    return await context.home();
  } catch (error) {
    if (isStorageError(error, 'TREE.NOT_FOUND')) return undefined;
    throw error;
  }
}
