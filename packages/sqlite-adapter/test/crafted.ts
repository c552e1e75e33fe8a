import { readFileSync, writeFileSync } from 'node:fs';

/** Bytes of a page. */
const PAGE = 4096;

/**
 * A tower of interior pages on top of the b-tree `root`, each of whose pointers refers to the page below: a scan of it takes
 * longer than anybody waits, with a file that is hardly larger. The pages are added at the end of the file. The database must
 * be closed. Source: sqlite.org/fileformat.html, "B-tree Pages".
 *
 * @param levels - interior pages; each has as many pointers as the root
 */
export function buildTower(file: string, root: number, levels: number): void {
  const bytes = readFileSync(file);
  const at = (number: number, from: Buffer): Buffer => from.subarray((number - 1) * PAGE, number * PAGE);
  const original = Buffer.from(at(root, bytes));
  const isInterior = original[0] === 2 || original[0] === 5;
  if (!isInterior) throw new Error(`page ${root} is a leaf: the tower needs its pointers`);
  const pages = bytes.length / PAGE;
  const added = Array.from({ length: levels }, () => Buffer.from(original));
  // Page pages+1 keeps the original pointers; each page above refers to the one below it with all of its own.
  added.forEach((page, level) => level > 0 && pointAll(page, pages + level));
  const top = at(root, bytes);
  original.copy(top);
  pointAll(top, pages + levels);
  bytes.writeUInt32BE(pages + levels, 28);
  writeFileSync(file, Buffer.concat([bytes, ...added]));
}

function pointAll(page: Buffer, child: number): void {
  const cells = page.readUInt16BE(3);
  for (let cell = 0; cell < cells; cell++) page.writeUInt32BE(child, page.readUInt16BE(12 + 2 * cell));
  page.writeUInt32BE(child, 8);
}
