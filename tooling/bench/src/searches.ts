import { join } from 'node:path';

import { openIndex } from '@deespec/storage';
import Database from 'better-sqlite3';

import { queryBudget, timeCalls, type QuerySamples } from './queries.js';

type Connection = InstanceType<typeof Database>;

/** Rows of a page. */
const PAGE_ROWS = 50;

/**
 * Times searches through `@deespec/storage`, each beside the statement of FTS5 that finds the same rows, bare; and the queries of the
 * strategy document on the index.
 */
export async function timeSearches(home: string): Promise<QuerySamples[]> {
  const database = new Database(join(home, 'deespec.db'), { readonly: true });
  try {
    return [...(await searches(home, database)), ...(await documentQueries(database))];
  } finally {
    database.close();
  }
}

async function searches(home: string, database: Connection): Promise<QuerySamples[]> {
  const storage = await openIndex({ home, store: 'sqlite' });
  const bare = database.prepare('SELECT rowid FROM search_text WHERE search_text MATCH ? LIMIT ?');
  const time = async (name: string, search: string, filter: object = {}): Promise<QuerySamples> => {
    const match = search.replaceAll(/\S+/gu, '"$&"');
    const samples = await timeCalls(() => storage.index.listSbis({ search, limit: PAGE_ROWS, ...filter }));
    const bareSamples = await timeCalls(() => bare.all(match, PAGE_ROWS));
    return { name: `search: ${name}`, samples, bare: bareSamples, budget: queryBudget };
  };
  try {
    const { most, middle, fewest } = someWords(database);
    const ids = database.prepare('SELECT id FROM sbi ORDER BY created_at, id').pluck().all() as string[];
    const after = ids[Math.floor(ids.length / 2)];
    return [
      await time(`the commonest word (${most.items} items)`, most.word),
      await time(`the same, from the middle on`, most.word, { after }),
      await time(`the same, in one status`, most.word, { status: 'WIP' }),
      await time('the same, in order of work', most.word, { status: 'READY', order: 'next' }),
      await time(`a word of ${middle.items} items`, middle.word),
      await time(`the rarest word (${fewest.items} items)`, fewest.word),
      await time(`a common and a rare word`, `${most.word} ${fewest.word}`),
      await time('a word that is nowhere', 'unfindable'),
    ];
  } finally {
    await storage.close();
  }
}

interface Word {
  readonly word: string;
  readonly items: number;
}

/** Words of the tree by the number of items that have them. */
export function someWords(database: Connection): { most: Word; middle: Word; fewest: Word } {
  database.exec(`CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'search_text', 'row')`);
  const words = database.prepare('SELECT term AS word, doc AS items FROM words ORDER BY doc').all() as Word[];
  const [fewest, most] = [words[0], words.at(-1)];
  if (fewest === undefined || most === undefined) throw new Error('no words');
  const middle = words.find(({ items }) => items >= most.items / 2) ?? most;
  return { most, middle, fewest };
}

interface DocumentQuery {
  readonly name: string;
  readonly sql: string;
  /** Its one parameter, of a random item; absent: it has none and looks at every row. */
  readonly parameter?: 'id' | 'createdAt';
}

/** Source: migration strategy, "Query Optimization" and "Consistency Checks". */
const documentSql: readonly DocumentQuery[] = [
  { name: 'get_sbi_stmt', sql: 'SELECT * FROM sbi WHERE id = ?', parameter: 'id' },
  {
    name: 'a page of one status by its covering index',
    sql: `SELECT id, task_id, label FROM sbi WHERE status = 'READY' AND created_at > ? ORDER BY created_at LIMIT ${PAGE_ROWS}`,
    parameter: 'createdAt',
  },
  {
    name: 'recent_executions of one item',
    sql: 'SELECT * FROM recent_executions WHERE sbi_id = ?',
    parameter: 'id',
  },
  {
    name: 'check, orphaned executions',
    sql: 'SELECT e.* FROM execution e LEFT JOIN sbi s ON e.sbi_id = s.id WHERE s.id IS NULL',
  },
  {
    name: 'check, duplicate turns',
    sql: 'SELECT sbi_id, turn, COUNT(*) AS cnt FROM execution GROUP BY sbi_id, turn HAVING cnt > 1',
  },
  {
    name: 'check, done and never decided so',
    sql: `SELECT s.* FROM sbi s WHERE s.status = 'DONE' AND NOT EXISTS
      (SELECT 1 FROM execution e WHERE e.sbi_id = s.id AND e.decision = 'SUCCEEDED')`,
  },
];

/** Calls of a query that looks at every row. */
const FEW_CALLS = 20;

async function documentQueries(database: Connection): Promise<QuerySamples[]> {
  const items = database.prepare('SELECT id, created_at AS createdAt FROM sbi').all() as Item[];
  const results: QuerySamples[] = [];
  for (const { name, sql, parameter } of documentSql) {
    const statement = database.prepare(sql);
    const samples =
      parameter === undefined
        ? await timeCalls(() => statement.all(), FEW_CALLS)
        : await timeCalls((call) => statement.all(items[(call * 7919) % items.length]![parameter]));
    results.push({
      name: `document: ${name}`,
      samples,
      ...(parameter === undefined ? {} : { budget: queryBudget }),
    });
  }
  return results;
}

interface Item {
  readonly id: string;
  readonly createdAt: string;
}
