import 'reflect-metadata';

import type { Database } from 'better-sqlite3';
import { DataSource, type DataSourceOptions } from 'typeorm';

import { auditSchema } from './audit.js';
import { configSchema } from './config.js';
import { executionSchema } from './execution.js';
import { OPENING_WAIT_MS, prepareHandle } from './handle.js';
import { sbiSchema } from './sbi.js';
import { toStorageError } from './sqlite-error.js';

/** One open database: TypeORM's DataSource and the one driver handle below it. */
export interface Connection {
  readonly dataSource: DataSource;
  readonly handle: Database;
  close(): Promise<void>;
}

/**
 * Opens an existing database through TypeORM. Neither its migrations nor `synchronize` are used: they run without foreign
 * keys and keep no checksum (docs/adr/0003).
 *
 * @throws StorageError by what SQLite says, see `toStorageError`
 */
export async function openConnection(path: string, access: 'read' | 'write'): Promise<Connection> {
  let handle: Database | undefined;
  const options: DataSourceOptions = {
    type: 'better-sqlite3',
    database: path,
    readonly: access === 'read',
    fileMustExist: true,
    timeout: OPENING_WAIT_MS,
    synchronize: false,
    logging: false,
    entities: [sbiSchema, executionSchema, configSchema, auditSchema],
    prepareDatabase: (database: Database) => {
      handle = database;
      prepareHandle(database, access);
    },
  };
  const dataSource = new DataSource(options);
  try {
    await dataSource.initialize();
  } catch (error) {
    handle?.close();
    throw toStorageError(error, path);
  }
  return { dataSource, handle: handle!, close: () => dataSource.destroy() };
}
