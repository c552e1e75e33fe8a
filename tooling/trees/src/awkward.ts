import { pathFromBytes, pathFromText } from '@deespec/domain';

import { awkwardContents, awkwardNames, linkTargets, oddModes } from './awkward-lists.js';
import { writeSbiWithA } from './layout-a.js';
import type { LayoutB } from './layout-b.js';
import type { Scribe } from './scribe.js';

/**
 * Adds everything that programs like to get wrong and that must come back exactly: contents, names, links, modes. The tree
 * stays valid: no finding of severity `error` follows from it.
 *
 * @param layoutB - absent in a tree of layout A alone
 */
export function writeAwkward(scribe: Scribe, layoutB: LayoutB | undefined, hasLayoutA: boolean): void {
  let directory = '';
  for (const [index, content] of awkwardContents().entries()) {
    const takesA = layoutB === undefined || (hasLayoutA && index % 2 === 0);
    directory = takesA ? writeSbiWithA(scribe, content.bytes) : layoutB.writeSbiWith(content.bytes);
    scribe.write(`knowledge/contents/${content.name}`, content.bytes);
  }
  writeNames(scribe, `${directory}/attachments`);
  writeLinks(scribe, `${directory}/links`);
  writeModes(scribe, `${directory}/modes`);
  scribe.directory(`${directory}/a/b/c/d/e/f/g/h/empty`);
}

function writeNames(scribe: Scribe, directory: string): void {
  const { writer, clock } = scribe;
  for (const name of awkwardNames()) {
    const path = pathFromBytes(Buffer.concat([Buffer.from(`${directory}/`), name]));
    writer.file(path, name, { mode: 0o644, mtimeUs: clock.nowUs });
  }
  scribe.write(`${directory}/shared.bin`, 'one content, two names\n');
  writer.hardLink(pathFromText(`${directory}/shared.bin`), pathFromText(`${directory}/shared-too.bin`));
}

function writeLinks(scribe: Scribe, directory: string): void {
  for (const [name, target] of Object.entries(linkTargets)) {
    scribe.writer.symlink(pathFromText(`${directory}/${name}`), target, scribe.clock.nowUs);
  }
}

function writeModes(scribe: Scribe, directory: string): void {
  const mtimeUs = scribe.clock.nowUs;
  for (const mode of oddModes.file) {
    const path = pathFromText(`${directory}/file-${mode.toString(8)}`);
    scribe.writer.file(path, `${mode.toString(8)}\n`, { mode, mtimeUs });
  }
  for (const mode of oddModes.directory) {
    scribe.writer.directory(pathFromText(`${directory}/directory-${mode.toString(8)}`), { mode, mtimeUs });
  }
}
