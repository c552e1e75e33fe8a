import type { Json } from '@deespec/domain';

/** `bytes` with the value at `key` set; every other byte stays. @throws StorageError `LAYOUT.MALFORMED`, `LAYOUT.CANNOT_EXPRESS` */
export function setYamlKey(_bytes: Buffer, _key: readonly string[], _value: Json): Buffer {
  throw new Error('not built');
}
