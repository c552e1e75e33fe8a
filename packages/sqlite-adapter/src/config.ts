import { StorageError, type ConfigEntry } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

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

/** Every setting, ordered by key. */
export async function listConfig(source: DataSource): Promise<ConfigEntry[]> {
  const rows = await source.getRepository(configSchema).find({ order: { key: 'ASC' } });
  return rows.map(configFromRow);
}

/** @throws StorageError `CONFIG.NOT_FOUND` */
export async function getConfig(source: DataSource, key: string): Promise<ConfigEntry> {
  const row = await source.getRepository(configSchema).findOneBy({ key });
  if (row !== null) return configFromRow(row);
  throw new StorageError('CONFIG.NOT_FOUND', `no setting is called ${JSON.stringify(key)}`, {
    hint: '"deespec config list" shows those that exist',
    details: { key },
  });
}

function configFromRow(row: ConfigRow): ConfigEntry {
  return { key: row.key, valueJson: row.value, updatedAt: row.updatedAt };
}
