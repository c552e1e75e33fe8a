import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { StorageError } from '@deespec/domain';
import type { HealthLimits } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { healthOutcome } from '../render-health.js';
import type { Session } from '../session.js';

/** Limits by the names that people type. Source: docs/health.md, "Limits". */
const limitNames: Readonly<Record<string, keyof HealthLimits>> = {
  'debt-seconds': 'debtSeconds',
  'edit-seconds': 'editSeconds',
  'evidence-days': 'evidenceDays',
  'deep-days': 'deepDays',
  'wal-bytes': 'walBytes',
  'disk-free-bytes': 'diskFreeBytes',
};

/** `health`: can the tree be worked with. For people, probes and Prometheus. */
export function healthCommand(session: Session) {
  return defineCommand('health', {
    summary: 'say whether the tree can be worked with, for people and probes',
    description:
      'Check that the program can answer, that the tree can be worked with, and when every byte was last looked at.\n' +
      'Takes under a second and writes nothing; --deep reads everything and keeps the result for later probes.\n' +
      'Exit 0: healthy. Exit 2: warnings. Exit 1: a check failed. Each names what to do.',
    examples: [
      ['deespec health', 'a probe'],
      ['deespec health --deep', 'read every byte of both stores first, as a nightly job'],
      ['deespec health --format prometheus > deespec.prom', "for the node exporter's textfile collector"],
      ['deespec health --limit disk-free-bytes=5000000000', 'with a limit of your own'],
    ],
  })
    .option('--deep', 'read every byte of both stores, the index and the chain of changes')
    .addOption(
      new Option('--format <format>', 'for people, or as metrics').choices(['text', 'prometheus'] as const),
    )
    .addOption(
      new Option('--limit <name=number>', `another limit; names: ${Object.keys(limitNames).join(', ')}`)
        .argParser(addLimit)
        .default({}, 'see docs/health.md'),
    )
    .action(({ deep = false, format, limit: limits }, command) =>
      session.run(command, async (context) => {
        if (context.json && format === 'prometheus') throw twoForms();
        const home = await context.home();
        const { formatMetrics, readHealth } = await import('@deespec/storage');
        const { signal } = context;
        const report = deep
          ? await context.withProgress((onProgress) => readHealth({ home, deep, limits, signal, onProgress }))
          : await readHealth({ home, limits });
        const outcome = healthOutcome(report);
        return format === 'prometheus' ? { ...outcome, text: () => formatMetrics(report) } : outcome;
      }),
    );
}

function addLimit(text: string, before: Partial<HealthLimits>): Partial<HealthLimits> {
  const [, name = '', number = ''] = /^([a-z-]+)=(\d{1,15})$/u.exec(text) ?? [];
  if (Object.hasOwn(limitNames, name)) return { ...before, [limitNames[name]!]: Number(number) };
  throw new InvalidArgumentError(
    `It must be a name and a whole number, such as wal-bytes=1000000. Names: ${Object.keys(limitNames).join(', ')}.`,
  );
}

function twoForms(): StorageError {
  return new StorageError('USAGE.INVALID', '--json prints one JSON document, --format prometheus does not', {
    hint: 'leave out one of them',
  });
}
