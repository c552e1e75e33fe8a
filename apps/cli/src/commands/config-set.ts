import { StorageError } from '@deespec/domain';
import { defineCommand } from '../command.js';
import { toConfigData } from '../config-data.js';
import { renderFields } from '../render.js';
import type { Session } from '../session.js';
import { withStorage } from '../with-storage.js';

/** `config set`: one setting. */
export function setCommand(session: Session) {
  return defineCommand('set', {
    summary: 'set the value of one setting',
    description:
      'Set the value of one setting; every other byte of its file stays. The mode has a command of its own: ' +
      '"deespec mode set".',
    examples: [
      ['deespec config set setting.max_turns 12', 'a number: the value is JSON, stored as it is spelled'],
      ['deespec config set setting.note --text "two words"', 'a text, without JSON quotes'],
      ['deespec config set workflow.steps \'["plan", "implement"]\'', 'a list'],
    ],
  })
    .argument('<key>', 'setting.<key> or workflow.<key>')
    .argument('<value>', 'JSON; with --text the text itself')
    .option('--text', 'take the value as text')
    .action((...[key, value, { text = false }, command]) =>
      session.run(command, async (context) => {
        const valueJson = text ? JSON.stringify(value) : requireJson(key, value);
        const changed = await withStorage(context, (storage) => storage.setConfig(key, valueJson));
        const entry = changed.value;
        return {
          data: toConfigData(entry),
          text: () =>
            renderFields([
              ['key', entry.key],
              ['value', entry.valueJson],
            ]),
          warnings: changed.warnings,
        };
      }),
    );
}

function requireJson(key: string, value: string): string {
  try {
    JSON.parse(value);
    return value;
  } catch (error) {
    throw new StorageError('USAGE.INVALID', `cannot set ${JSON.stringify(key)}: the value is no JSON`, {
      hint: 'with --text the value is taken as text; without it a text is written with its quotes: \'"text"\'',
      details: { key },
      cause: error,
    });
  }
}
