import { StorageError, type ConfigEntry } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { boundedRows } from './bounded-rows.js';
import { storedText } from './stored-cell.js';

/** A row of `config`. */
export interface ConfigRow {
  key: string;
  value: string;
  updatedAt: string;
  path: Buffer;
}

export const configSchema = new EntitySchema<ConfigRow>({
  name: 'config',
  columns: {
    key: { type: 'text', primary: true },
    value: { type: 'text' },
    updatedAt: { type: 'text', name: 'updated_at' },
    path: { type: 'blob' },
  },
});

/** More keys than three files of 256 KiB can have. */
const MOST_KEYS = 200_000;

const longColumns = ['c.key', 'c.value', 'c.updated_at', 'c.path'];

/** Every setting, ordered by key. */
export async function listConfig(source: DataSource): Promise<ConfigEntry[]> {
  const query = source.getRepository(configSchema).createQueryBuilder('c').orderBy('c.key').limit(MOST_KEYS);
  return (await boundedRows(query, longColumns)).map(configFromRow);
}

/** @throws StorageError `CONFIG.NOT_FOUND` */
export async function getConfig(source: DataSource, key: string): Promise<ConfigEntry> {
  const query = source.getRepository(configSchema).createQueryBuilder('c').where('c.key = :key', { key });
  const [row] = await boundedRows(query.limit(1), longColumns);
  if (row !== undefined) return configFromRow(row);
  throw new StorageError('CONFIG.NOT_FOUND', `no setting is called ${JSON.stringify(key)}`, {
    hint: '"deespec config list" shows those that exist',
    details: { key },
  });
}

function configFromRow(row: ConfigRow): ConfigEntry {
  const where = 'config';
  return {
    key: storedText(row.key, where),
    valueJson: storedText(row.value, where),
    updatedAt: storedText(row.updatedAt, where),
  };
}
