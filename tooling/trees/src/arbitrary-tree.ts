import { joinPath } from '@deespec/domain';
import fc from 'fast-check';

import {
  directoryArbitrary,
  extrasArbitrary,
  fileArbitrary,
  mergeNodes,
  type ArbitraryNode,
  type NamedNode,
} from './arbitrary-node.js';
import { sbiArbitrary, type ArbitrarySbi } from './arbitrary-sbi.js';
import { TreeWriter, type TreeCounts } from './tree-writer.js';

/** A small tree as a value: the children of `.deespec`. */
export type ArbitraryTree = readonly NamedNode[];

/**
 * Small trees with arbitrary names, contents, modes, times, symlinks and nesting, and up to four SBIs of either layout, some
 * of them broken: migrating one may need `--quarantine`. Every tree has a `setting.json` and a `specs/sbi`, no
 * `storage_mode`, no database, and no entry that the byte law ignores.
 */
export function arbitraryTree(): fc.Arbitrary<ArbitraryTree> {
  const sbis = fc.uniqueArray(sbiArbitrary, { maxLength: 4, selector: (sbi) => sbi.node[0] });
  return sbis.chain((list) => {
    const tree = fc.tuple(settingArbitrary, specsArbitrary(list), journalArbitrary(list), extrasArbitrary);
    return tree.map(([setting, specs, journal, extras]) =>
      mergeNodes([['setting.json', setting], ['specs', specs], ...journal], extras),
    );
  });
}

/**
 * Writes a tree that {@link arbitraryTree} made.
 *
 * @param directory - the `.deespec` directory; created, or empty
 * @throws Error when the directory is not empty; file system errors as they come
 */
export function writeArbitraryTree(directory: string, tree: ArbitraryTree): TreeCounts {
  const writer = new TreeWriter(directory);
  writeNodes(writer, '', tree);
  return writer.finish();
}

const settingArbitrary = fileArbitrary(
  fc
    .constantFrom('{}', '{"max_turns":8}', '{\n  "big": 9007199254740993,\n  "été": null\n}\n')
    .map((t) => Buffer.from(t)),
);

function specsArbitrary(sbis: readonly ArbitrarySbi[]): fc.Arbitrary<ArbitraryNode> {
  const sbi = directoryArbitrary(fc.constant(sbis.map(({ node }) => node)));
  return directoryArbitrary(sbi.map((node) => [['sbi', node]]));
}

/** `var/journal.ndjson`, when any SBI has lines in it. */
function journalArbitrary(sbis: readonly ArbitrarySbi[]): fc.Arbitrary<readonly NamedNode[]> {
  const text = sbis.flatMap(({ lines }) => lines).join('');
  if (text === '') return fc.constant([]);
  const file = fileArbitrary(fc.constant(Buffer.from(text)));
  return directoryArbitrary(file.map((node) => [['journal.ndjson', node]])).map((node) => [['var', node]]);
}

function writeNodes(writer: TreeWriter, parent: string, nodes: readonly NamedNode[]): void {
  for (const [name, node] of nodes) {
    const path = joinPath(parent, name);
    if (node.kind === 'symlink') writer.symlink(path, Buffer.from(node.target), node.mtimeUs);
    else if (node.kind === 'file') writer.file(path, node.bytes, node);
    else {
      writer.directory(path, node);
      writeNodes(writer, path, node.children);
    }
  }
}
