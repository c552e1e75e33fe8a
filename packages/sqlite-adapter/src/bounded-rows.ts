import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

import { CELL_BYTES, damaged } from './stored-cell.js';

/**
 * The rows of a query with a limit, once it is known that no value among them is larger than this program stores.
 *
 * @param columns - the columns that can be long, as the query names them
 * @throws StorageError `DATABASE.CORRUPT`
 */
export async function boundedRows<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  columns: readonly string[],
): Promise<Row[]> {
  const lengths = columns.map((column) => `coalesce(octet_length(${column}), 0)`);
  const page = await query
    .clone()
    .select(`max(${lengths.join(', ')})`, 'widest')
    .getRawMany<{ widest: number }>();
  if (page.every(({ widest }) => widest <= CELL_BYTES)) return query.getMany();
  throw damaged(query.alias, 'has a value that is larger than any this program stores');
}
