import { Option } from '@commander-js/extra-typings';
import { displayPath, timeFromNs } from '@deespec/domain';
import type { Conflict } from '@deespec/domain';
import type { ResolveReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { contentOutcome } from '../content-outcome.js';
import { formatNumberOf, localTime, renderFields } from '../render.js';
import { storeName } from '../render-sync.js';
import type { Context, Outcome, Session } from '../session.js';

/** `conflict`: versions that another one took the place of. */
export function conflictCommand(session: Session) {
  return defineCommand('conflict', {
    summary: 'look at versions that another one took the place of, and choose',
    description:
      'Look at what was kept when files and database had both changed: the truth of the mode kept its bytes, and ' +
      'the other version is here until somebody chooses.',
    examples: [
      ['deespec conflict list', 'every version that is kept, and why'],
      ['deespec conflict show <id> --content | diff - .deespec/setting.json', 'what the kept version says'],
      ['deespec conflict resolve <id> --take file', 'let the version of the files stand'],
    ],
  })
    .addCommand(listCommand(session))
    .addCommand(showCommand(session))
    .addCommand(resolveCommand(session));
}

function listCommand(session: Session) {
  return defineCommand('list', {
    summary: 'list the versions that are kept, oldest first',
    examples: [
      ['deespec conflict list', 'each with its path and the store it stood in'],
      ['deespec conflict list --json', 'for a script'],
    ],
  }).action((_options, command) =>
    session.read(command, async (context) => {
      const home = await context.home();
      const { listConflicts } = await import('@deespec/storage');
      const conflicts = await listConflicts({ home });
      return {
        data: { items: conflicts.map(toData) },
        text: () => renderConflicts(conflicts),
        notes:
          conflicts.length === 0
            ? []
            : ['hint: "deespec conflict show <id> --content" prints one, "deespec conflict resolve" chooses'],
      };
    }),
  );
}

function showCommand(session: Session) {
  return defineCommand('show', {
    summary: 'show one version that is kept',
    description:
      'Show one version that is kept: where it stood, when and why another one took its place. With --content its ' +
      'bytes:\nunchanged into a file or pipe, escaped on a terminal, text or base64 with --json.',
    examples: [
      ['deespec conflict show <id>', 'where it stood and why it is kept'],
      ['deespec conflict show <id> --content > kept.md', 'its bytes'],
    ],
  })
    .argument('<id>', 'as the list prints it')
    .option('--content', 'print the bytes that are kept instead')
    .action((id, { content = false }, command) =>
      session.read(command, async (context) => {
        if (content) return printContent(context, id);
        const home = await context.home();
        const { openConflict } = await import('@deespec/storage');
        const { conflict } = await openConflict({ home, id });
        return { data: toDetail(conflict), text: () => renderConflict(conflict) };
      }),
    );
}

async function printContent(context: Context, id: string): Promise<Outcome> {
  const home = await context.home();
  const { openConflict } = await import('@deespec/storage');
  // An opened conflict can be read once, and a terminal needs two readings.
  const opened = [await openConflict({ home, id }), await openConflict({ home, id })];
  const { conflict } = opened[0]!;
  return contentOutcome(context, {
    path: displayPath(conflict.path),
    sizeBytes: conflict.size,
    detail: toDetail(conflict),
    read: () => opened.shift()!.content,
  });
}

function resolveCommand(session: Session) {
  return defineCommand('resolve', {
    summary: 'choose the version that stands',
    description:
      'Choose the version that stands: that of the files or that of the database, as both were when they met. ' +
      'When it is the one that is kept, it is put back in both stores. The other one goes to .storage/trash.',
    examples: [
      ['deespec conflict resolve <id> --take db', 'the version of the database'],
      [
        'deespec conflict resolve <id> --take file --json',
        'the version of the files; "written" says if it was put back',
      ],
    ],
  })
    .argument('<id>', 'as the list prints it')
    .addOption(
      new Option('--take <side>', 'the version of the files, or that of the database')
        .choices(['file', 'db'] as const)
        .makeOptionMandatory(),
    )
    .action((id, { take }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { resolveConflict } = await import('@deespec/storage');
        const report = await resolveConflict({ home, id, take, user: context.user });
        return {
          data: { conflict: toDetail(report.conflict), take: report.take, written: report.written },
          text: () => renderResolved(report),
        };
      }),
    );
}

/** A conflict in a JSON document: its path as text. */
function toData({ id, path, store, at, kind, size, sha256, reason }: Conflict) {
  return { id, path: displayPath(path), store, at, kind, sizeBytes: size, sha256, reason };
}

function toDetail(conflict: Conflict) {
  return {
    ...toData(conflict),
    keptSha256: conflict.keptSha256 ?? null,
    mode: conflict.mode.toString(8).padStart(4, '0'),
    modifiedAt: timeFromNs(conflict.mtimeNs),
  };
}

async function renderConflicts(conflicts: readonly Conflict[]): Promise<string> {
  if (conflicts.length === 0) return 'no version is kept\n';
  const { renderTable } = await import('../render-table.js');
  return renderTable(
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'PATH', value: ({ path }) => path },
      { title: 'STOOD IN', value: ({ store }) => storeName(store) },
      { title: 'KEPT', value: ({ at }) => localTime(at) },
      { title: 'BYTES', value: ({ sizeBytes }) => String(sizeBytes) },
      { title: 'WHY', value: ({ reason }) => reason, maxLength: 60 },
    ],
    conflicts.map(toData),
  );
}

function renderConflict(conflict: Conflict): string {
  const { id, path, kind, mode, modifiedAt, sha256, keptSha256, reason } = toDetail(conflict);
  return renderFields([
    ['id', id],
    ['path', path],
    ['stood in', storeName(conflict.store)],
    ['why', reason],
    ['kept', localTime(conflict.at)],
    ['kind', kind],
    ['size', formatNumberOf(conflict.size, 'byte')],
    ['sha-256', sha256],
    ['mode', mode],
    ['modified', localTime(modifiedAt)],
    ['took its place', keptSha256 === null ? '' : `sha-256 ${keptSha256}`],
  ]);
}

function renderResolved({ conflict, take, written }: ResolveReport): string {
  const version = `the version of the ${take === 'file' ? 'files' : 'database'}`;
  return renderFields([
    ['path', displayPath(conflict.path)],
    ['stands', `${version}${written ? ', put back' : ', which stood there already'}`],
  ]);
}
