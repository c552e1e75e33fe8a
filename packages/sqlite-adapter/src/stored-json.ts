import { StorageError, type JsonObject } from '@deespec/domain';

/** The object a row holds as JSON text. @throws StorageError `DATABASE.CORRUPT`: the schema checks what is written */
export function parseStored(text: string, where: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch (error) {
    throw new StorageError('DATABASE.CORRUPT', `the metadata of ${where} is no JSON`, {
      hint: 'the database was changed by hand: run "deespec verify --check-all"',
      cause: error,
    });
  }
}
