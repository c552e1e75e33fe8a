import { Option } from '@commander-js/extra-typings';
import { defineCommand, namedPath } from '../command.js';
import { formatTally, renderFields } from '../render.js';
import type { Session } from '../session.js';

/** `export`: writes the database's tree as files into a new directory. */
export function exportCommand(session: Session) {
  return defineCommand('export', {
    summary: 'write the tree in the database as files',
    description:
      'Write the tree in the database as files into a new directory, byte for byte.\n' +
      'The target must be absent or empty and outside the tree; it is complete or absent.',
    examples: [
      ['deespec export --format=files --output ../restored', 'write the tree to ../restored'],
      ['deespec digest ../restored', 'prove it: the same digest as "deespec digest"'],
    ],
  })
    .addOption(new Option('--format <format>', 'what to write').choices(['files'] as const).default('files'))
    .requiredOption('--output <dir>', 'the directory to create', namedPath)
    .action(({ output }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { exportTree } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          exportTree({ home, output, signal, onProgress }),
        );
        return {
          data: report,
          text: () =>
            `exported the tree (${(report.durationMs / 1000).toFixed(1)} s)\n` +
            renderFields([
              ['output', report.output],
              ['digest', report.digest],
              ['written', formatTally(report.written)],
            ]),
        };
      }),
    );
}
