/** Where a package stands and which workspace packages its `src` may import. */
export interface Layer {
  readonly layer: number;
  readonly mayImport: readonly string[];
}

/** The layers, by folder name. Source: README.md, "Layers". */
export const layerTable: Readonly<Record<string, Layer>> = {
  domain: { layer: 0, mayImport: [] },
  validators: { layer: 1, mayImport: ['domain'] },
  layout: { layer: 1, mayImport: ['domain'] },
  'file-adapter': { layer: 2, mayImport: ['domain', 'validators', 'layout'] },
  'migration-engine': { layer: 2, mayImport: ['domain', 'validators', 'layout'] },
  verifier: { layer: 2, mayImport: ['domain'] },
  'sqlite-adapter': { layer: 3, mayImport: ['domain', 'validators', 'layout', 'migration-engine'] },
  'dual-adapter': { layer: 3, mayImport: ['domain'] },
  storage: {
    layer: 4,
    mayImport: [
      'domain',
      'validators',
      'layout',
      'file-adapter',
      'migration-engine',
      'verifier',
      'sqlite-adapter',
      'dual-adapter',
    ],
  },
  admin: { layer: 5, mayImport: ['domain', 'storage'] },
  cli: { layer: 6, mayImport: ['domain', 'storage', 'admin'] },
};

/** Modules that only some packages may import, `fs` for `node:fs` and `node:fs/promises`. Source: README.md, "Layers". */
export const technologyHomes: Readonly<Record<string, readonly string[]>> = {
  // admin: what comes in over HTTP, and the document that says so
  'class-validator': ['validators', 'admin'],
  typeorm: ['sqlite-adapter'],
  // storage: the lock database only
  'better-sqlite3': ['sqlite-adapter', 'verifier', 'storage'],
  // admin: its client and the token file only; cli: the report file, and what the user names
  fs: ['file-adapter', 'verifier', 'sqlite-adapter', 'storage', 'admin', 'cli'],
};
