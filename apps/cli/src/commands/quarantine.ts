import { displayPath, pathFromDisplay, splitReason, StorageError, timeFromNs } from '@deespec/domain';
import type { QuarantinedEntry } from '@deespec/domain';
import type { OpenQuarantined, QuarantineRule } from '@deespec/storage';
import { defineCommand, wholeNumber } from '../command.js';
import { contentOutcome } from '../content-outcome.js';
import { formatNumberOf, localTime, renderFields } from '../render.js';
import { shellWord } from '../safe-text.js';
import type { Context, Outcome, Session } from '../session.js';
import { retryCommand } from './quarantine-retry.js';

/** `quarantine`: what the database keeps without interpreting it. */
export function quarantineCommand(session: Session) {
  const group = defineCommand('quarantine', {
    summary: 'look at entries that are kept but not interpreted, and try them again',
    description:
      'Look at what "migrate --quarantine" kept without interpreting it, and try it again.\n' +
      'Entries in quarantine are stored and exported like any other; they only have no rows.',
    examples: [
      ['deespec quarantine list', 'what is in quarantine and why'],
      [
        'deespec quarantine show specs/sbi/SBI-INIT-001/spec.md',
        'one entry, the rule it breaks and what to do',
      ],
      ['deespec quarantine retry', 'interpret all of it again, after the files were mended'],
    ],
  });
  return group
    .addCommand(listCommand(session))
    .addCommand(showCommand(session))
    .addCommand(retryCommand(session));
}

function listCommand(session: Session) {
  return defineCommand('list', {
    summary: 'list what is in quarantine, by path',
    description:
      'List the entries of the database that are in quarantine, by path in byte order, each with its reason.',
    examples: [
      ['deespec quarantine list', 'the first 100'],
      ['deespec quarantine list --limit 1000 --json', 'for a script; "nextAfter" begins the next page'],
      ['deespec quarantine list --after specs/sbi/SBI-INIT-001', 'the page after this path'],
    ],
  })
    .option('--limit <n>', 'rows, 1 to 1000', wholeNumber(1, 1000), 100)
    .option('--after <path>', 'list those after this path, written as the list prints it')
    .action(({ limit, after }, command) =>
      session.read(command, async (context) => {
        const home = await context.home();
        const page = after === undefined ? {} : { after: pathFromDisplay(after) };
        const { listQuarantine } = await import('@deespec/storage');
        const entries = await listQuarantine({ home, limit, ...page });
        const nextAfter = entries.length === limit ? displayPath(entries.at(-1)!.path) : null;
        return {
          data: { items: entries.map(toData), nextAfter },
          text: () => renderList(entries, after),
          notes:
            nextAfter === null
              ? []
              : [`hint: there may be more; --after ${shellWord(nextAfter)} lists the next page`],
        };
      }),
    );
}

function showCommand(session: Session) {
  return defineCommand('show', {
    summary: 'show one entry in quarantine, why it is there and what to do',
    description:
      'Show one entry in quarantine: the rule it breaks, why that rule exists and what to do. With --content its ' +
      'bytes as they are stored:\nunchanged into a file or pipe, escaped on a terminal, text or base64 with --json.',
    examples: [
      ['deespec quarantine show specs/sbi/SBI-INIT-001/spec.md', 'the reason, the rule and the fix'],
      ['deespec quarantine show var/journal.ndjson --content > journal.ndjson', 'the stored bytes'],
      ["deespec quarantine show 'caf\\xe9.md'", 'a name that is no UTF-8, as the list prints it'],
    ],
  })
    .argument(
      '<path>',
      'written as the list prints it: \\\\ is a backslash, \\xHH a byte, \\u{H} a character',
    )
    .option('--content', 'print the stored bytes instead')
    .action((shown, { content = false }, command) =>
      session.read(command, async (context) => {
        const home = await context.home();
        const { openQuarantined } = await import('@deespec/storage');
        const opened = await openQuarantined({ home, path: pathFromDisplay(shown) });
        try {
          if (content) return await printContent(context, opened);
          const { entry } = opened;
          const rules = await opened.listRules();
          return { data: { ...toDetail(entry), rules }, text: () => renderEntry(entry, rules) };
        } finally {
          opened.close();
        }
      }),
    );
}

async function printContent(context: Context, { entry, read }: OpenQuarantined): Promise<Outcome> {
  const path = displayPath(entry.path);
  if (entry.kind === 'directory') {
    throw new StorageError('FILE.NOT_FOUND', `${path} is a directory, which has no content`, {
      hint: '"deespec quarantine list" shows what lies in it',
      details: { path },
    });
  }
  return contentOutcome(context, { path, sizeBytes: entry.size, detail: toDetail(entry), read });
}

/** An entry in a JSON document: its path as text, its reason as a whole and in its parts. */
function toData({ path, kind, size, sha256, reason }: QuarantinedEntry) {
  const { rule = null, detail } = splitReason(reason);
  return { path: displayPath(path), kind, sizeBytes: size, sha256, reason, rule, detail };
}

function toDetail(entry: QuarantinedEntry) {
  return {
    ...toData(entry),
    mode: entry.mode.toString(8).padStart(4, '0'),
    modifiedAt: timeFromNs(entry.mtimeNs),
  };
}

async function renderList(entries: readonly QuarantinedEntry[], after: string | undefined): Promise<string> {
  if (entries.length === 0) {
    return after === undefined ? 'nothing is in quarantine\n' : 'nothing more is in quarantine\n';
  }
  const { renderTable } = await import('../render-table.js');
  return renderTable(
    [
      { title: 'PATH', value: ({ path }) => path },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'BYTES', value: ({ sizeBytes }) => String(sizeBytes) },
      { title: 'SHA-256', value: ({ sha256 }) => sha256, maxLength: 13 },
      { title: 'RULE', value: ({ rule }) => rule ?? '' },
      { title: 'FOUND', value: ({ detail }) => detail, maxLength: 60 },
    ],
    entries.map(toData),
  );
}

function renderEntry(entry: QuarantinedEntry, rules: readonly QuarantineRule[]): string {
  const { path, kind, sha256, mode, modifiedAt, detail } = toDetail(entry);
  return renderFields([
    ['path', path],
    ['kind', kind],
    ['size', formatNumberOf(entry.size, 'byte')],
    ['sha-256', sha256],
    ['mode', mode],
    ['modified', localTime(modifiedAt)],
    ['found', detail],
    ...rules.flatMap(({ rule, why, fix }) => [
      ['rule', rule] as const,
      ['why', why] as const,
      ['fix', fix] as const,
    ]),
  ]);
}
