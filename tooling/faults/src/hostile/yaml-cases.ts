import type { FileRow, HostileCase } from './hostile-case.js';
import { fileRows, noted } from './make-case.js';

function metas(id: string, input: string, rows: readonly FileRow[]): HostileCase {
  return fileRows({ id, input, name: 'meta.yml', rows });
}

const bomb = Array.from({ length: 9 }, (_, at) => {
  const items = at === 0 ? '"x"' : `*a${at - 1}`;
  return `a${at}: &a${at} [${Array.from({ length: 9 }, () => items).join(', ')}]`;
}).join('\n');

const merges = `a0: &a0 {k: 1}\n${Array.from({ length: 400 }, (_, at) => `a${at + 1}: &a${at + 1} {<<: *a${at}, k${at}: 1}`).join('\n')}\n`;

/** YAML that does not mean what it seems to. */
export const yamlCases: readonly HostileCase[] = [
  metas('Y01', 'aliases that grow to 387 million texts', [[`${bomb}\n`, 'yaml-unsafe']]),
  metas('Y02', 'nesting of 5,000 levels, in brackets, braces, lists and maps', [
    [`title: ${'['.repeat(5_000)}${']'.repeat(5_000)}\n`, 'yaml-unsafe'],
    [`title: ${'{a: '.repeat(5_000)}1${'}'.repeat(5_000)}\n`, 'yaml-unsafe'],
    [`title:\n  ${'- '.repeat(5_000)}x\n`, 'yaml-unsafe'],
    [`${Array.from({ length: 700 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')} 1\n`, 'yaml-unsafe'],
  ]),
  metas('Y03', 'merge keys, also with __proto__, also quadratic ones; !!omap', [
    ['base: &b {title: x}\n<<: *b\n', 'yaml-unsafe'],
    ['title: x\n<<: {__proto__: {polluted: true}}\n', 'yaml-unsafe'],
    [merges, 'yaml-unsafe'],
    ['labels: !!omap [{a: 1}]\n', 'yaml-unsafe'],
    ['title: x\n__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n'],
  ]),
  metas('Y04', 'tags: !!js/function, !!binary, !custom, !!str', [
    ['title: !!js/function "function () { return 1 }"\n', 'yaml-unsafe'],
    ['title: !!binary aGk=\n', 'yaml-unsafe'],
    ['title: !custom x\n', 'yaml-unsafe'],
    ['title: !!str x\n', 'yaml-unsafe'],
  ]),
  noted(
    metas('Y05', 'values that YAML 1.1 and 1.2 read differently: no, on, 1_000, 0o14, 012, 1:20, a date, ~', [
      ['title: no\nphase: on\nrole: 012\nlabels: [yes, 1:20, 0o14, 1_000]\n'],
      ['title: 2025-01-01\nx: 1_000\ny: 012\nz: 1:20\nw: ~\nv: .inf\n'],
    ]),
    'Fields that are text keep their spelling; others that readers disagree on are kept as text',
  ),
  metas('Y06', 'a key twice, also nested', [
    ['title: a\ntitle: b\n', 'duplicate-key'],
    ['title: a\nx: {k: 1, k: 2}\n', 'duplicate-key'],
  ]),
  noted(
    metas('Y07', 'several documents, tabs, a byte order mark, CRLF, UTF-16, NUL', [
      ['title: a\n---\ntitle: b\n', 'yaml-unsafe'],
      ['x:\n\t- a\n', 'yaml-unsafe'],
      ['\ufefftitle: a\n'],
      ['title: a\r\nlabels:\r\n  - b\r\n'],
      [Buffer.from('title: a\n', 'utf16le'), 'yaml-syntax'],
      ['title: "a\\0b"\nx: "\\0"\n'],
    ]),
    'CRLF and a byte order mark are read alike by every reader of YAML',
  ),
  metas('Y08', 'titles with a colon, a hash, quotes, line feeds, emoji', [
    ['title: "a: b # c \\" \' \\n \u{1f600}"\n'],
    ["title: 'it''s # not: a comment'\n"],
    ['title: |\n  # heading: one\n\n  "two"\n'],
    ['title: >-\n  folded: text\n  goes on\n'],
  ]),
];
