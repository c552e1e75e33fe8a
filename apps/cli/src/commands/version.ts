import { defineCommand } from '../command.js';
import { renderFields } from '../render.js';
import type { Session } from '../session.js';

/** `version`: the versions a bug report needs. */
export function versionCommand(session: Session) {
  return defineCommand('version', {
    summary: 'print the versions of deespec, its schema, SQLite and Node',
    examples: [
      ['deespec version', 'what a bug report needs'],
      ['deespec version --json', 'the same for a script'],
    ],
  }).action((_options, command) =>
    session.read(command, async () => {
      const { version } = await import('@deespec/storage');
      const versions = await version();
      return {
        data: versions,
        text: () =>
          renderFields([
            ['deespec', versions.version],
            ['schema', String(versions.schema)],
            ['sqlite', versions.sqlite],
            ['node', versions.node],
          ]),
      };
    }),
  );
}
