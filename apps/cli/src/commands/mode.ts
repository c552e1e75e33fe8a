import { isStorageError, parseMode, storageModes } from '@deespec/domain';
import type { StorageMode } from '@deespec/domain';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { defineCommand } from '../command.js';
import { modeTable, modeWarnings, renderModeReport, renderModeStatus } from '../render-mode.js';
import type { Context, Outcome, Session } from '../session.js';

/** `mode`: which store is the truth. Alone it is `mode get`. */
export function modeCommand(session: Session) {
  return defineCommand('mode', {
    summary: 'show or change which store is the truth',
    description:
      'Show or change which store is the truth. Without a command it shows, like "mode get".\n' +
      'A storage_mode that was written into setting.json by hand only asks for a mode: "deespec start" or ' +
      '"deespec mode set" grants it.',
    examples: [
      ['deespec mode', 'the modes, the one in force marked'],
      ['deespec mode set dual_write', 'let the database follow the files from now on'],
      ['deespec mode set file', 'back to the files alone'],
    ],
  })
    .addCommand(getCommand(session))
    .addCommand(setCommand(session))
    .action((_options, command) => session.read(command, showMode));
}

function getCommand(session: Session) {
  return defineCommand('get', {
    summary: 'show the modes, the one in force marked',
    description:
      'Show what each mode reads, how it writes and what happens when a store fails; the mode in force, what ' +
      'setting.json asks for when that is another one, and a change that was cut off.',
    examples: [
      ['deespec mode get', 'the table'],
      ['deespec mode get --json', 'for a script: "mode", and "requested" when setting.json asks for another'],
    ],
  }).action((_options, command) => session.read(command, showMode));
}

async function showMode(context: Context): Promise<Outcome> {
  const home = await context.home();
  const { getMode } = await import('@deespec/storage');
  const status = await getMode({ home });
  return { data: { ...status, modes: modeTable }, text: () => renderModeStatus(status) };
}

function setCommand(session: Session) {
  return defineCommand('set', {
    summary: 'change which store is the truth, proven first',
    description:
      'Change the mode, alone on the tree. First both stores are brought into step, and every byte of both is ' +
      'compared; when that fails the mode stays.\nsetting.json then names the mode; its other bytes stay.',
    examples: [
      ['deespec mode set dual_write', 'needs a migrated database; files stay the truth'],
      ['deespec mode set sqlite', 'needs no open conflict; the database becomes the truth'],
      ['deespec mode set FILE_ONLY --json', 'the other names of the modes work too'],
    ],
  })
    .argument('<mode>', `${storageModes.join(', ')}, or one of their other names`, namedMode)
    .action((mode, _options, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { setMode } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          setMode({ home, mode, signal, onProgress }),
        );
        return { data: report, text: () => renderModeReport(report), warnings: modeWarnings(report) };
      }),
    );
}

function namedMode(text: string): StorageMode {
  try {
    return parseMode(text);
  } catch (error) {
    if (!isStorageError(error, 'MODE.UNKNOWN')) throw error;
    const aliases = modeTable.flatMap((row) => row.aliases);
    throw new InvalidArgumentError(`It must be one of ${[...storageModes, ...aliases].join(', ')}.`);
  }
}
