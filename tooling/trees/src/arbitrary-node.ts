import fc from 'fast-check';

import { awkwardContents, awkwardNames } from './awkward-lists.js';

/** What stands at a name. Times are microseconds since 1970 UTC. */
export type ArbitraryNode =
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mode: number; readonly mtimeUs: number }
  | { readonly kind: 'symlink'; readonly target: Uint8Array; readonly mtimeUs: number }
  | {
      readonly kind: 'directory';
      readonly children: readonly NamedNode[];
      readonly mode: number;
      readonly mtimeUs: number;
    };

/** A node under its name, a byte string as in `TreePath`. Names within one directory differ. */
export type NamedNode = readonly [name: string, node: ArbitraryNode];

const timeUs = fc.integer({ min: 1_000_000, max: 2_000_000_000_000_000 });
const fileMode = fc.constantFrom(0o644, 0o600, 0o444, 0o755, 0o400, 0o777, 0o4755);
const directoryMode = fc.constantFrom(0o755, 0o700, 0o775, 0o1777, 0o2755);

/** Any code point that UTF-8 has. A table of all of them, as fast-check's `binary` unit makes it, takes more than a second. */
const codePoint = fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }));

/** Contents: noise, text, all zeros, and the awkward ones except the long one, to keep trees small. */
export const contentArbitrary: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.array(codePoint, { maxLength: 40 }).map((points) => Buffer.from(String.fromCodePoint(...points))),
  fc.nat(20).map((length) => Buffer.alloc(length)),
  fc
    .constantFrom(...awkwardContents().filter((content) => content.bytes.length < 1000))
    .map(({ bytes }) => bytes),
);

const plainNames = [
  'notes.md',
  'plan_0.md',
  'review_9.md',
  'data',
  'x',
  'x.y',
  'x-y',
  'attachments',
  'results',
  '.keep',
];

/** No name that the byte law ignores: such entries do not come back. */
const nameArbitrary = fc
  .oneof(
    fc.constantFrom(...plainNames).map((name) => Buffer.from(name)),
    fc.constantFrom(...awkwardNames()),
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  )
  .map((bytes) => bytes.toString('latin1'))
  .filter((name) => !/[\0/]|^\.\.?$|^\.tmp[.-]|\.tmp$/u.test(name));

const symlinkArbitrary: fc.Arbitrary<ArbitraryNode> = fc.record({
  kind: fc.constant('symlink' as const),
  target: fc
    .uint8Array({ minLength: 1, maxLength: 30 })
    .map((bytes) => bytes.map((byte) => (byte === 0 ? 0x2f : byte))),
  mtimeUs: timeUs,
});

/** A file with the given content. */
export function fileArbitrary(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<ArbitraryNode> {
  return fc.record({ kind: fc.constant('file' as const), bytes, mode: fileMode, mtimeUs: timeUs });
}

/** A directory with the given children. */
export function directoryArbitrary(
  children: fc.Arbitrary<readonly NamedNode[]>,
): fc.Arbitrary<ArbitraryNode> {
  return fc.record({
    kind: fc.constant('directory' as const),
    children,
    mode: directoryMode,
    mtimeUs: timeUs,
  });
}

/** A file, symlink or directory, nested up to three levels. */
export const nodeArbitrary: fc.Arbitrary<ArbitraryNode> = fc.letrec<{ node: ArbitraryNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'tree' },
    { weight: 4, arbitrary: fileArbitrary(contentArbitrary) },
    { weight: 1, arbitrary: symlinkArbitrary },
    { weight: 2, arbitrary: directoryArbitrary(childrenOf(tie('node'))) },
  ),
})).node;

/** Up to four children of arbitrary names. */
export const extrasArbitrary: fc.Arbitrary<readonly NamedNode[]> = childrenOf(nodeArbitrary);

function childrenOf(node: fc.Arbitrary<ArbitraryNode>): fc.Arbitrary<readonly NamedNode[]> {
  return fc.uniqueArray(fc.tuple(nameArbitrary, node), { maxLength: 4, selector: ([name]) => name });
}

/** `first` and those of `second` whose names are still free. */
export function mergeNodes(first: readonly NamedNode[], second: readonly NamedNode[]): readonly NamedNode[] {
  const taken = new Set(first.map(([name]) => name));
  return [...first, ...second.filter(([name]) => !taken.has(name))];
}
