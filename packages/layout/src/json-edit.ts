/** `bytes` with the value at `key` set to `valueJson`; every other byte stays. @throws StorageError `LAYOUT.MALFORMED`, `LAYOUT.CANNOT_EXPRESS` */
export function setJsonKey(_bytes: Buffer, _key: readonly string[], _valueJson: string): Buffer {
  throw new Error('not built');
}

/** `bytes` without the property at `key`; unchanged when it is absent. @throws StorageError `LAYOUT.MALFORMED`, `LAYOUT.CANNOT_EXPRESS` */
export function removeJsonKey(_bytes: Buffer, _key: readonly string[]): Buffer {
  throw new Error('not built');
}

/** Value of `storage_mode` in setting.json, `undefined` when absent. @throws StorageError `LAYOUT.MALFORMED` */
export function readSettingMode(_bytes: Buffer): unknown {
  throw new Error('not built');
}
