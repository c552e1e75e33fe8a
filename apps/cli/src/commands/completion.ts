import { Argument, Option } from '@commander-js/extra-typings';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RootCommand } from '@bomb.sh/tab';
import { defineCommand } from '../command.js';
import type { Session } from '../session.js';

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

/**
 * `completion`: a script that makes a shell complete this program.
 *
 * @param createProgram - a new program without the completion commands, which the library adds to it
 */
export function completionCommand(session: Session, createProgram: () => CommandUnknownOpts) {
  return defineCommand('completion', {
    summary: 'print a script that completes commands in your shell',
    description: 'Print a script that completes commands and options in your shell.',
    examples: [
      ['source <(deespec completion bash)', 'for this bash session'],
      [
        'deespec completion zsh --name deespec-storage > ~/.deespec-completion.zsh',
        'under its other name, for zsh',
      ],
      ['deespec completion fish | source', 'for this fish session'],
    ],
  })
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addOption(
      new Option('--name <program>', 'the name you call this program by')
        .choices(['deespec', 'deespec-storage'] as const)
        .default('deespec' as const),
    )
    .action((shell, { name }, command) =>
      session.run(command, async () => {
        const root = await describe(createProgram());
        const script = captureLog(() => root.setup(name, name, shell));
        return { data: { shell, name, script }, text: () => script };
      }),
    );
}

/** The hidden command that the completion scripts call with the words typed so far. */
export function completeCommand(session: Session, createProgram: () => CommandUnknownOpts) {
  return defineCommand('complete', {
    summary: 'answer a completion script',
    examples: [
      ['deespec complete -- sbi ""', 'the commands below sbi'],
      ['deespec complete -- migrate --', 'the options of migrate'],
    ],
  })
    .argument('[words...]', 'the words typed so far')
    .action((words, _options, command) =>
      session.run(command, async () => {
        const root = await describe(createProgram());
        const answer = captureLog(() => root.parse(words));
        return { data: { answer }, text: () => answer };
      }),
    );
}

async function describe(program: CommandUnknownOpts): Promise<RootCommand> {
  const { default: tab } = await import('@bomb.sh/tab/commander');
  describeInOneLine(program);
  return tab(program as Parameters<typeof tab>[0], { completionCommandName: 'completion' });
}

/** A shell takes every line for a candidate of its own. */
function describeInOneLine(command: CommandUnknownOpts): void {
  command.description(command.summary());
  for (const child of command.commands) describeInOneLine(child);
}

/** The completion library can only print; a JSON document needs the text. */
function captureLog(print: () => void): string {
  const { log } = console;
  let text = '';
  console.log = (line: string) => void (text += `${line}\n`);
  try {
    print();
  } finally {
    console.log = log;
  }
  return text;
}
