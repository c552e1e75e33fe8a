import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/** What `--help` says of a command beside its options. */
export interface CommandText {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Absent: the summary says it all. */
  readonly description?: string;
  /** Each a whole command line and what it is for. */
  readonly examples: readonly [Example, Example, ...Example[]];
}

export type Example = readonly [command: string, purpose: string];

/** A command with the options every command takes, and its examples below the help. */
export function defineCommand(name: string, text: CommandText) {
  return new Command(name)
    .summary(text.summary)
    .description(text.description ?? sentence(text.summary))
    .helpCommand(false)
    .enablePositionalOptions()
    .option('--home <dir>', 'the .deespec directory (default: DEE_HOME, else the nearest one upwards)')
    .option('--json', 'print exactly one JSON document on standard output')
    .addHelpText('after', `\nExamples:\n${formatExamples(text.examples)}`);
}

/** `--store`, which every reading command takes. */
export function storeOption() {
  return new Option(
    '--store <store>',
    'read this store instead of the one the mode reads (look into a database before trusting it)',
  ).choices(['files', 'sqlite'] as const);
}

/** The value of an option that names a path. An empty one is a variable that was not set, not the current directory. */
export function namedPath(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** A parser of whole numbers from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/u.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** The words of a command after the program's name, such as `sbi list`; the program's name for the program itself. */
export function commandName(command: CommandUnknownOpts): string {
  const words: string[] = [];
  for (let at = command; at.parent !== null; at = at.parent) words.unshift(at.name());
  return words.length === 0 ? command.name() : words.join(' ');
}

/** `--home` as given before or after the command; the nearest to the end wins. */
export function homeOption(command: CommandUnknownOpts): string | undefined {
  for (let at: CommandUnknownOpts | null = command; at !== null; at = at.parent) {
    const home: unknown = at.opts()['home'];
    if (typeof home === 'string') return home;
  }
  return undefined;
}

function formatExamples(examples: readonly Example[]): string {
  return examples.map(([command, purpose]) => `  $ ${command}\n      ${purpose}`).join('\n');
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
