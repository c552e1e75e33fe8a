import {
  displayPath,
  splitReason,
  StorageError,
  timeFromNs,
  type Conflict,
  type QuarantinedEntry,
  type TreePath,
} from '@deespec/domain';
import {
  checkDatabase,
  listConflicts,
  listQuarantine,
  openConflict,
  openPresent,
  openQuarantined,
  resolveConflict,
} from '@deespec/storage';

import type { App, Part } from '../app.js';
import type { ConflictDto, QuarantinedDto } from '../dto/keeping.js';
import { PathRefs } from './path-refs.js';
import { shorten } from './sbi-view.js';

/** Conflicts in a list. */
const MOST_CONFLICTS = 200;

type Names =
  | 'getFindings'
  | 'listConflicts'
  | 'getConflict'
  | 'readConflict'
  | 'resolveConflict'
  | 'listQuarantine'
  | 'getQuarantined'
  | 'readQuarantined';

/** What is wrong, and what is kept because of it. */
export function keepingRoutes(app: Pick<App, 'home' | 'user'>): Part<Names> {
  return { ...findingRoutes(app), ...conflictRoutes(app), ...quarantineRoutes(app) };
}

function findingRoutes({ home }: Pick<App, 'home'>): Part<'getFindings'> {
  return {
    getFindings: async ({ signal }) => {
      const { ok, count, rules, durationMs } = await checkDatabase({ home, signal });
      return {
        body: {
          ok,
          count,
          durationMs: Math.round(durationMs),
          rules: rules.map(({ rule, severity, title, why, fix, count: found, first, unchecked }) => ({
            rule,
            severity,
            title,
            why,
            fix,
            count: found,
            first: first.map((one) => ({ ...one })),
            ...(unchecked === undefined ? {} : { unchecked }),
          })),
        },
      };
    },
  };
}

type ConflictNames = 'listConflicts' | 'getConflict' | 'readConflict' | 'resolveConflict';

function conflictRoutes({ home, user }: Pick<App, 'home' | 'user'>): Part<ConflictNames> {
  return {
    listConflicts: async () => {
      const all = await listConflicts({ home });
      return { body: { items: all.slice(0, MOST_CONFLICTS).map(conflictView), count: all.length } };
    },
    getConflict: async ({ params: { id } }) => {
      const { conflict } = await openConflict({ home, id });
      const { entry } = await openPresent({ home, id });
      return {
        body: { ...conflictView(conflict), ...(entry === undefined ? {} : { present: versionOf(entry) }) },
      };
    },
    readConflict: async ({ params: { id, side } }) => {
      const { conflict, content } = await openConflict({ home, id });
      const name = displayPath(conflict.path).split('/').at(-1)!;
      if (side === 'present') {
        const present = await openPresent({ home, id });
        return {
          body: {
            name,
            send: async (take) => {
              if (present.entry !== undefined) await present.read(take);
            },
          },
        };
      }
      return {
        body: {
          name,
          send: async (take) => {
            for (const chunk of content) await take(chunk);
          },
        },
      };
    },
    resolveConflict: async ({ params: { id }, body: { take, confirm } }) => {
      const { conflict } = await openConflict({ home, id });
      if (confirm !== displayPath(conflict.path)) {
        throw new StorageError('USAGE.INVALID', '"confirm" is not the path of the conflict', {
          hint: 'type the path again, as the list shows it',
        });
      }
      const { written } = await resolveConflict({ home, id, take: take as 'file' | 'db', user });
      return { body: { id, take, written } };
    },
  };
}

type QuarantineNames = 'listQuarantine' | 'getQuarantined' | 'readQuarantined';

function quarantineRoutes({ home }: Pick<App, 'home'>): Part<QuarantineNames> {
  const refs = new PathRefs();
  const pathOf = (id: string): TreePath => {
    const path = refs.find(id);
    if (path !== undefined) return path;
    throw new StorageError('QUARANTINE.NOT_FOUND', 'no entry in quarantine has this id', {
      hint: 'load the list again: ids hold while the server runs',
      details: { id },
    });
  };
  const view = (entry: QuarantinedEntry): QuarantinedDto => quarantinedView(entry, refs.give(entry.path));
  return {
    listQuarantine: async ({ query: { limit = 50, cursor } }) => {
      const after = cursor === undefined ? {} : { after: pathOf(cursor) };
      const entries = await listQuarantine({ home, limit, ...after });
      const last = entries.length < limit ? undefined : entries.at(-1);
      return {
        body: {
          items: entries.map(view),
          ...(last === undefined ? {} : { nextCursor: refs.give(last.path) }),
        },
      };
    },
    getQuarantined: async ({ params: { id } }) => {
      const opened = await openQuarantined({ home, path: pathOf(id) });
      try {
        return { body: { ...view(opened.entry), rules: [...(await opened.listRules())] } };
      } finally {
        opened.close();
      }
    },
    readQuarantined: async ({ params: { id } }) => {
      const path = pathOf(id);
      return {
        body: {
          name: displayPath(path).split('/').at(-1)!,
          send: async (take) => {
            const opened = await openQuarantined({ home, path });
            try {
              for (const chunk of opened.read()) await take(chunk);
            } finally {
              opened.close();
            }
          },
        },
      };
    },
  };
}

function conflictView({ id, path, store, at, kind, size, sha256, mtimeNs, reason }: Conflict): ConflictDto {
  return { id, path: displayPath(path), store, at, ...versionOf({ kind, size, sha256, mtimeNs }), reason };
}

function versionOf({ kind, size, sha256, mtimeNs }: Pick<Conflict, 'kind' | 'size' | 'sha256' | 'mtimeNs'>) {
  return { kind, sizeBytes: size, sha256, modifiedAt: timeFromNs(mtimeNs) };
}

function quarantinedView({ path, kind, size, reason }: QuarantinedEntry, id: string): QuarantinedDto {
  const { rule, detail } = splitReason(reason);
  return {
    id,
    path: displayPath(path),
    kind,
    sizeBytes: size,
    reason: shorten(detail),
    ...(rule === undefined ? {} : { rule }),
  };
}
