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

/**
 * Columns of a bare statement under their names in a row. A value larger than this program stores, which only a damaged file has, comes as a
 * BLOB and is refused as no text.
 *
 * @param columns - column and name of each that can be long
 */
export function boundedColumns(alias: string, columns: readonly (readonly [string, string])[]): string {
  return columns.map(([column, name]) => `${boundedValue(`${alias}.${column}`)} AS ${name}`).join(', ');
}

/** As {@link boundedColumns}, of one column. What is no column, but computed, is no text, and left as it is. */
export function boundedValue(column: string): string {
  if (!/^\w+\.\w+$/u.test(column)) return column;
  return `CASE WHEN octet_length(${column}) > ${CELL_BYTES} THEN x'' ELSE ${column} END`;
}
