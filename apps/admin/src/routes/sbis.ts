import {
  parseSbiId,
  StorageError,
  type Decision,
  type ExecutionKey,
  type SbiFields,
  type SbiFilter,
  type SbiOrder,
  type SbiStatus,
  type Storage,
  type StoredSbi,
  type TreePath,
} from '@deespec/domain';

import type { App, Part } from '../app.js';
import type { SbiChangeRequest, SbiFilterQuery } from '../dto/sbi.js';
import { cursorOf, placeOf } from '../http/step-cursor.js';
import { exportOf } from './sbi-export.js';
import { executionView, fileIdOf, fileView, sbiDetail, sbiView } from './sbi-view.js';

/** Files of one SBI in a list. */
const MOST_FILES = 1_000;

type Names =
  | 'listSbis'
  | 'exportSbis'
  | 'createSbi'
  | 'getSbi'
  | 'changeSbi'
  | 'listExecutions'
  | 'appendExecution'
  | 'listFiles'
  | 'readFile';

/** SBIs, their executions and their files. */
export function sbiRoutes({ now }: Pick<App, 'now'>): Part<Names> {
  return {
    listSbis: async ({ query: { limit = 50, cursor, ...query }, storage }) => {
      const tree = await storage();
      const filter = filterOf(query);
      const after = cursor === undefined ? {} : { after: parseSbiId(cursor) };
      const sbis = await tree.listSbis({ ...filter, ...after, limit });
      const { search } = filter;
      const snippets =
        search === undefined
          ? []
          : await tree.listSnippets(
              sbis.map(({ id }) => id),
              search,
            );
      const last = sbis.length < limit ? undefined : sbis.at(-1);
      return {
        body: {
          items: sbis.map((sbi, at) => sbiView(sbi, snippets[at])),
          ...(last === undefined ? {} : { nextCursor: last.id }),
        },
      };
    },
    exportSbis: async ({ query: { format, ...query }, storage, signal }) => ({
      body: exportOf(await storage(), {
        format: format as 'csv' | 'json',
        filter: filterOf(query),
        signal,
        now: now(),
      }),
    }),
    createSbi: async ({ body: { title, spec, labels, priority }, storage }) => {
      const tree = await storage();
      const made = await tree.createSbi({
        title,
        ...(spec === undefined ? {} : { spec }),
        ...(labels === undefined ? {} : { labels }),
        ...(priority === undefined ? {} : { priority }),
      });
      return withTag(made);
    },
    getSbi: async ({ params: { id }, storage }) => withTag(await (await storage()).getSbi(parseSbiId(id))),
    changeSbi: async ({ params: { id }, body, ifMatch, storage }) => {
      const tree = await storage();
      const read = await tree.getSbi(parseSbiId(id));
      if (read.revision !== ifMatch) throw changed(read, ifMatch);
      return withTag(await tree.updateSbi(read, fieldsOf(body)));
    },
    ...executionRoutes(),
    ...fileRoutes(),
  };
}

/** What a change names; the classes have checked the closed sets. */
function fieldsOf({ title, label, priority, status, decision, attempt }: SbiChangeRequest): SbiFields {
  return {
    ...(title === undefined ? {} : { title }),
    ...(label === undefined ? {} : { label }),
    ...(priority === undefined ? {} : { priority }),
    ...(status === undefined ? {} : { status: status as SbiStatus }),
    ...(decision === undefined ? {} : { decision: decision as Decision }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

function executionRoutes(): Part<'listExecutions' | 'appendExecution'> {
  return {
    listExecutions: async ({ params, query: { run, limit = 100, cursor }, storage }) => {
      const tree = await storage();
      const sbiId = parseSbiId(params.id);
      await tree.getSbi(sbiId);
      const executions = await tree.listExecutions({
        sbiId,
        limit,
        ...(run === undefined ? {} : { run }),
        ...(cursor === undefined ? {} : { after: { sbiId, ...placeOf(cursor) } }),
      });
      const last = executions.length < limit ? undefined : executions.at(-1);
      return {
        body: {
          items: executions.map(executionView),
          ...(last === undefined ? {} : { nextCursor: cursorOf(last) }),
        },
      };
    },
    appendExecution: async ({ params, body, storage }) => {
      const { content, status, decision, attempt, elapsedMs, error, ...key } = body;
      const made = await (
        await storage()
      ).appendExecution({
        ...key,
        sbiId: parseSbiId(params.id),
        status: status as SbiStatus,
        decision: decision as Decision,
        ...(attempt === undefined ? {} : { attempt }),
        ...(elapsedMs === undefined ? {} : { elapsedMs }),
        ...(error === undefined ? {} : { error }),
        ...(content === undefined ? {} : { content: Buffer.from(content) }),
      });
      return { body: executionView(made) };
    },
  };
}

function fileRoutes(): Part<'listFiles' | 'readFile'> {
  return {
    listFiles: async ({ params, storage }) => {
      const tree = await storage();
      const id = parseSbiId(params.id);
      await tree.getSbi(id);
      const [files, contents] = [await tree.listFiles(id), await contentsOf(tree, id)];
      return {
        body: {
          items: files.slice(0, MOST_FILES).map((file) => fileView(file, contents)),
          count: files.length,
        },
      };
    },
    readFile: async ({ params: { id, fileId }, storage }) => {
      const tree = await storage();
      const sbiId = parseSbiId(id);
      const file = (await tree.listFiles(sbiId)).find(({ path }) => fileIdOf(path) === fileId);
      if (file === undefined) {
        throw new StorageError('FILE.NOT_FOUND', `${sbiId} has no such file`, {
          hint: 'list its files again',
          details: { sbiId, fileId },
        });
      }
      const name = fileView(file, new Set()).name.split('/').at(-1)!;
      return { body: { name, send: (take) => tree.readFile({ sbiId, path: file.path }, take) } };
    },
  };
}

/** Paths of the texts of an SBI's executions. */
async function contentsOf(tree: Storage, sbiId: StoredSbi['id']): Promise<ReadonlySet<TreePath>> {
  const paths = new Set<TreePath>();
  for (let after: ExecutionKey | undefined; ;) {
    const page = await tree.listExecutions({
      sbiId,
      limit: 1_000,
      ...(after === undefined ? {} : { after }),
    });
    for (const { contentPath } of page) if (contentPath !== undefined) paths.add(contentPath);
    after = page.at(-1);
    if (page.length < 1_000 || after === undefined) return paths;
  }
}

function filterOf({ status, label, search, sort, order }: SbiFilterQuery): SbiFilter {
  return {
    ...(status === undefined ? {} : { status: status as SbiStatus }),
    ...(label === undefined ? {} : { label }),
    // What has no word in it finds what is there without a search.
    ...(search === undefined || !/[\p{L}\p{N}]/u.test(search) ? {} : { search }),
    ...(sort === undefined ? {} : { order: sort as SbiOrder }),
    ...(order === 'desc' ? { direction: 'descending' as const } : {}),
  };
}

function withTag(sbi: StoredSbi) {
  return { body: sbiDetail(sbi), headers: { etag: `"${sbi.revision}"` } };
}

/** Somebody else was faster: the caller gets what stands there now. */
function changed(current: StoredSbi, read: string): StorageError {
  return new StorageError('SBI.CHANGED', `${current.id} was changed since it was read`, {
    hint: 'look at the present version, then make the change on it',
    details: { read: { revision: read }, current: sbiDetail(current) },
  });
}
