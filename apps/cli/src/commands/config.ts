import type { ConfigEntry } from '@deespec/domain';
import { defineCommand, storeOption } from '../command.js';
import { toConfigData } from '../config-data.js';
import { localTime } from '../render.js';
import { safeText } from '../safe-text.js';
import { withIndex } from '../with-index.js';
import type { Session } from '../session.js';
import { setCommand } from './config-set.js';

/** `config`: the settings of the tree. */
export function configCommand(session: Session) {
  const group = defineCommand('config', {
    summary: 'read and change settings',
    description: 'Read and change the settings of the tree: the keys of its settings and workflow files.',
    examples: [
      ['deespec config list', 'every setting'],
      ['deespec config get setting.max_turns', 'one setting'],
      ['deespec config set setting.max_turns 12', 'change it'],
    ],
  });
  return group
    .addCommand(listCommand(session))
    .addCommand(getCommand(session))
    .addCommand(setCommand(session));
}

function listCommand(session: Session) {
  return defineCommand('list', {
    summary: 'list every setting with its value',
    examples: [
      ['deespec config list', 'keys are setting.<key> and workflow.<key>'],
      ['deespec config list --store sqlite', 'as the database holds them'],
    ],
  })
    .addOption(storeOption())
    .action(({ store }, command) =>
      session.read(command, async (context) => {
        const entries = await withIndex({ context, store }, (index) => index.listConfig());
        return { data: { items: entries.map(toConfigData) }, text: () => renderConfig(entries) };
      }),
    );
}

function getCommand(session: Session) {
  return defineCommand('get', {
    summary: 'print the value of one setting',
    description: 'Print the value of one setting: text as it is, anything else as JSON.',
    examples: [
      ['deespec config get setting.max_turns', 'the value alone, for a script'],
      ['deespec config get workflow.name --json', 'with its spelling in the file and the time of the file'],
    ],
  })
    .argument('<key>', 'setting.<key> or workflow.<key>')
    .addOption(storeOption())
    .action((key, { store }, command) =>
      session.read(command, async (context) => {
        const entry = await withIndex({ context, store }, (index) => index.getConfig(key));
        const { value } = toConfigData(entry);
        return {
          data: toConfigData(entry),
          text: () => `${safeText(typeof value === 'string' ? value : entry.valueJson)}\n`,
        };
      }),
    );
}

async function renderConfig(entries: readonly ConfigEntry[]): Promise<string> {
  const { renderTable } = await import('../render-table.js');
  return renderTable<ConfigEntry>(
    [
      { title: 'KEY', value: ({ key }) => key },
      { title: 'VALUE', value: ({ valueJson }) => valueJson, maxLength: 60 },
      { title: 'UPDATED', value: ({ updatedAt }) => localTime(updatedAt) },
    ],
    entries,
  );
}
