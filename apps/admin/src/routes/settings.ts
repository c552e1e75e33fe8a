import { StorageError, type StoredConfig } from '@deespec/domain';
import { readBackups, readSchemaStatus, type BackupEntry } from '@deespec/storage';
import { basename } from 'node:path';

import type { App, Part } from '../app.js';
import type { BackupDto, ConfigDto } from '../dto/keeping.js';

/** Longest value in an answer, UTF-16 units. */
const MOST_VALUE = 100_000;

/** Settings, versions of the schema, and backups. */
export function settingRoutes({
  home,
}: Pick<App, 'home'>): Part<'listConfig' | 'changeConfig' | 'getSchema' | 'listBackups'> {
  return {
    listConfig: async ({ storage }) => {
      const entries = await (await storage()).listConfig();
      return { body: { items: entries.slice(0, 1_000).map(configView) } };
    },
    changeConfig: async ({ params: { key }, body: { valueJson }, ifMatch, storage }) => {
      const tree = await storage();
      const read = await tree.getConfig(key);
      if (read.revision !== ifMatch) throw changed(read, ifMatch);
      const set = await tree.setConfig(key, valueJson, read);
      return { body: configView(set), headers: { etag: `"${set.revision}"` } };
    },
    getSchema: async () => {
      const { version, newest, scripts, problem, backups } = await readSchemaStatus({ home });
      return {
        body: {
          version,
          newest,
          scripts: scripts.map((script) => ({ ...script })),
          ...(problem === undefined ? {} : { problem: { ...problem } }),
          copies: backups.map((path) => basename(path)),
        },
      };
    },
    listBackups: async () => {
      const { backups } = await readBackups({ home });
      return { body: { items: backups.map(backupView) } };
    },
  };
}

function configView({ key, valueJson, updatedAt, revision }: StoredConfig): ConfigDto {
  const isLong = valueJson.length > MOST_VALUE;
  const shown = isLong
    ? JSON.stringify(`${valueJson.length} characters: deespec config get ${key}`)
    : valueJson;
  return { key, valueJson: shown, updatedAt, revision };
}

function changed(current: StoredConfig, read: string): StorageError {
  return new StorageError('CONFIG.CHANGED', `${current.key} was changed since it was read`, {
    hint: 'look at the present value, then set it again',
    details: { read: { revision: read }, current: configView(current) },
  });
}

function backupView({ id, state, bytes, ageSeconds, manifest, problem }: BackupEntry): BackupDto {
  return {
    id,
    state,
    sizeBytes: bytes,
    ...(ageSeconds === undefined ? {} : { ageSeconds }),
    ...(manifest === undefined ? {} : manifestView(manifest)),
    ...(problem === undefined ? {} : { problem }),
  };
}

function manifestView(manifest: NonNullable<BackupEntry['manifest']>): Partial<BackupDto> {
  const { createdAt, verifiedAt, note, mode, schemaVersion, compressed, treeDigest, counts } = manifest;
  return {
    createdAt,
    ...(verifiedAt === undefined ? {} : { verifiedAt }),
    ...(note === undefined ? {} : { note }),
    mode,
    schemaVersion,
    compressed: compressed !== undefined,
    treeDigest,
    counts: { ...counts },
  };
}
