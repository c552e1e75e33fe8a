import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { StorageError } from '@deespec/domain';
import { commandName, defineCommand } from '../command.js';
import type { Session } from '../session.js';

/** `help`: the help of the program or of one command. */
export function helpCommand(session: Session) {
  return defineCommand('help', {
    summary: 'show the commands, or the help of one',
    examples: [
      ['deespec help', 'the list of commands'],
      ['deespec help sbi list', 'the options and examples of one command'],
    ],
  })
    .argument('[command...]', 'the words of the command')
    .action((words, _options, command) =>
      session.run(command, async () => {
        const target = await findCommand(command.parent!, words);
        target.outputHelp();
        return session.helpOutcome();
      }),
    );
}

/** Lets an unknown word fail as it would on the command line, suggestion included. */
async function findCommand(
  program: CommandUnknownOpts,
  words: readonly string[],
): Promise<CommandUnknownOpts> {
  let at = program;
  for (const word of words) {
    const next = at.commands.find((candidate) => candidate.name() === word);
    if (next === undefined && at.commands.length > 0) await at.parseAsync(['--', word], { from: 'user' });
    if (next === undefined) {
      throw new StorageError('USAGE.INVALID', `"${commandName(at)}" has no command ${JSON.stringify(word)}`, {
        hint: `"deespec ${commandName(at)} --help" shows what it takes`,
      });
    }
    at = next;
  }
  return at;
}
