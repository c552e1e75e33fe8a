import type { CommanderError, CommandUnknownOpts } from '@commander-js/extra-typings';
import { StorageError } from '@deespec/domain';
import { commandName } from './command.js';

/** Parsing ended without an action: help was printed, or the command line is wrong. */
export class ParseStop extends Error {
  override readonly name = 'ParseStop';

  constructor(
    readonly command: CommandUnknownOpts,
    readonly reason: CommanderError,
  ) {
    super(reason.message);
  }

  /** True when the user asked for help and got it. */
  get isHelp(): boolean {
    return this.reason.exitCode === 0;
  }
}

// Verbs of the Go tool (v0.1.14 and later) that this program does not have, by the command they stand below.
const goVerbs: Readonly<Record<string, readonly string[]>> = {
  deespec: [
    'cleanup-locks',
    'clear',
    'epic',
    'init',
    'journal',
    'label',
    'lock',
    'pbi',
    'register',
    'run',
    'state',
    'upgrade',
    'workflow',
  ],
  sbi: ['extract', 'history', 'register', 'report', 'reset', 'review', 'run'],
};

/** A wrong command line as an error that says what was meant, or where a verb of the Go tool belongs. */
export function usageError(stop: ParseStop): StorageError {
  const { command, reason } = stop;
  const path = commandName(command);
  if (reason.code === 'commander.unknownCommand' && goVerbs[path]?.includes(command.args[0] ?? '')) {
    const verb = [...(path === 'deespec' ? [] : [path]), command.args[0]].join(' ');
    return new StorageError(
      'USAGE.INVALID',
      `"${verb}" is a command of the DeeSpec workflow tool, not of this one`,
      {
        hint:
          'this is the storage tool (also installed as deespec-storage); ' +
          `run "${verb}" with the workflow tool's own deespec binary. "deespec-storage help" lists what is here`,
        details: { command: path, verb },
      },
    );
  }
  const help = path === 'deespec' ? '"deespec help" lists the commands' : `see "deespec ${path} --help"`;
  if (reason.code === 'commander.help') {
    return new StorageError('USAGE.INVALID', 'a command is missing', {
      hint: help,
      details: { command: path },
    });
  }
  if (reason.code === 'commander.excessArguments' && command.commands.length > 0) {
    // A group that does something by itself takes every unknown word for an argument.
    return new StorageError('USAGE.INVALID', `unknown command ${JSON.stringify(command.args[0])}`, {
      hint: help,
      details: { command: path },
    });
  }
  const [what = '', ...more] = reason.message.replace(/^error: /u, '').split('\n');
  const suggestion = /^\(Did you mean (.*)\?\)$/u.exec(more.join(' '))?.[1];
  return new StorageError('USAGE.INVALID', what, {
    hint: suggestion === undefined ? help : `did you mean ${suggestion}? ${help}`,
    details: { command: path, ...(suggestion === undefined ? {} : { suggestion }) },
  });
}
