import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Violation } from './workspace.js';

/** Cells of every table row of a Markdown text whose first cell is code (`` `x` ``) or a number, backticks removed. */
export function tableRows(markdown: string): string[][] {
  return withoutFences(markdown)
    .split('\n')
    .filter((line) => /^\| *(?:`[^`]+`|\d+) *\|/u.test(line))
    .map((line) =>
      line
        .replace(/^\||\|\s*$/gu, '')
        .split(/(?<!\\)\|/u)
        .map((cell) => cell.trim().replace(/^`([^`]*)`$/u, '$1')),
    );
}

/**
 * A documented table against what the code has, both ways: exactly one row for each key, and the cells after the key
 * begin as the code says.
 */
export function checkTable(
  where: string,
  rows: readonly (readonly string[])[],
  expected: ReadonlyMap<string, readonly string[]>,
): Violation[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [key = '', ...cells] of rows) {
    const wanted = expected.get(key);
    if (seen.has(key)) problems.push(`has two rows for ${key}`);
    else if (wanted === undefined) problems.push(`has a row for ${key}, which does not exist`);
    else if (wanted.some((cell, at) => cells[at] !== cell))
      problems.push(`says ${cells.slice(0, wanted.length).join(', ')} of ${key}; it is ${wanted.join(', ')}`);
    seen.add(key);
  }
  for (const key of expected.keys()) if (!seen.has(key)) problems.push(`has no row for ${key}`);
  return problems.map((what) => ({ rule: 'table', where, what }));
}

/** Relative links of the given Markdown files that lead nowhere, headings of Markdown targets included. */
export function checkLinks(root: string, files: readonly string[]): Violation[] {
  return files.flatMap((file) =>
    relativeLinks(readFileSync(join(root, file), 'utf8'))
      .filter((link) => !leadsSomewhere(root, file, link))
      .map((link) => ({ rule: 'link', where: file, what: `links to ${link}, which does not exist` })),
  );
}

/** Commands of `deespec` that fenced blocks of the given files name and `known` does not have. */
export function checkCommands(
  root: string,
  files: readonly string[],
  known: ReadonlySet<string>,
): Violation[] {
  return files.flatMap((file) =>
    fencedCommands(readFileSync(join(root, file), 'utf8'))
      .filter((command) => !known.has(command))
      .map((command) => ({
        rule: 'command',
        where: file,
        what: `shows deespec ${command}, which does not exist`,
      })),
  );
}

const fence = /^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gmu;

function withoutFences(markdown: string): string {
  return markdown.replace(fence, '');
}

function fencedCommands(markdown: string): string[] {
  return (markdown.match(fence) ?? []).flatMap((block) =>
    [...block.matchAll(/^[ $]*(?:npx )?deespec(?:-storage)? ([a-z][a-z-]*)/gmu)].map((match) => match[1]!),
  );
}

function relativeLinks(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/\]\(([^)\s]+)\)/gu)]
    .map((match) => match[1]!)
    .filter((link) => !/^[a-z]+:/u.test(link));
}

function leadsSomewhere(root: string, file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : posix.join(dirname(file), path);
  if (target.startsWith('..') || !existsSync(join(root, target))) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  return headingAnchors(readFileSync(join(root, target), 'utf8')).has(anchor);
}

function headingAnchors(markdown: string): Set<string> {
  return new Set([...withoutFences(markdown).matchAll(/^#+ +(.+)$/gmu)].map((match) => anchorOf(match[1]!)));
}

/** The anchor that a heading gets on the page. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/gu, '-');
}

/** References to documents in the comments of sources, such as `docs/formats.md, "Status"`, that lead nowhere. */
export function checkReferences(root: string, files: readonly string[]): Violation[] {
  return files.flatMap((file) =>
    [...joinedComments(readFileSync(join(root, file), 'utf8')).matchAll(reference)]
      .filter(([, path, heading]) => !isDocumented(root, path!, heading))
      .map(([text]) => ({ rule: 'reference', where: file, what: `refers to ${text}, which does not exist` })),
  );
}

const reference = /\b(docs\/adr\/\d{4}|docs\/[a-z-]+\.md|[A-Z]{6,}\.md)(?:,? "([^"\n]+)")?/gu;

/** `text` with the line breaks of comments taken out, because a reference can stand across two lines. */
function joinedComments(text: string): string {
  return text.replace(/\n\s*(?:\*(?!\/)|\/\/|--)\s*/gu, ' ');
}

function isDocumented(root: string, path: string, heading: string | undefined): boolean {
  const file = path.startsWith('docs/adr/') ? findDecision(root, path) : path;
  if (file === undefined || !existsSync(join(root, file))) return false;
  if (heading === undefined) return true;
  return headingAnchors(readFileSync(join(root, file), 'utf8')).has(anchorOf(heading));
}

function findDecision(root: string, path: string): string | undefined {
  const number = path.slice('docs/adr/'.length);
  const name = readdirSync(join(root, 'docs/adr')).find((one) => one.startsWith(`${number}-`));
  return name === undefined ? undefined : `docs/adr/${name}`;
}
