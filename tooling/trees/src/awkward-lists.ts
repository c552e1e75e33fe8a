/** A content with a name for people. */
export interface AwkwardContent {
  readonly name: string;
  readonly bytes: Buffer;
}

const hexContents: Readonly<Record<string, string>> = {
  'invalid-utf8': '61fffe62',
  'overlong-utf8': '61c0af62',
  'utf8-surrogate': '61eda08062',
  'utf-16le': 'fffe480069000a00',
  'nul-bytes': '610062000a00',
  'truncated-sequence': '68656c6c6f20e282',
  'high-bytes-only': '80ff80ff',
};

const textContents: Readonly<Record<string, string>> = {
  bom: '\ufeff# After a byte order mark\n',
  'bom-only': '\ufeff',
  crlf: 'one\r\ntwo\r\n',
  'mixed-line-ends': 'one\r\ntwo\nthree\rfour',
  'lone-cr': 'one\rtwo\r',
  'unicode-line-ends': 'one\u2028two\u2029three\u0085four\n',
  'no-final-newline': '# No newline at the end',
  'only-newlines': '\n\n\n\n',
  'only-spaces': '   ',
  empty: '',
  'front-matter': '---\nid: SBI-00000000000000000000000000\nstatus: DONE\n---\n# Body\n',
  'looks-like-sql': "'); DROP TABLE sbi; --\n-- DeeSpec export footer\n",
  'conflict-markers': '<<<<<<< file\nmine\n=======\nyours\n>>>>>>> database\n',
  'terminal-escapes': '\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u009b2J\n',
  bidirectional: 'abc \u202egnirts\u202c \u2066x\u2069 \u200f\n',
  'combining-marks': `e${'\u0301'.repeat(20_000)}\n`,
  markup: '<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))\n',
  'looks-like-json': '{"status": "DONE", "__proto__": {"polluted": true}',
  'identical-first': 'The same bytes under two ids.\n',
  'identical-second': 'The same bytes under two ids.\n',
};

/** Length in bytes of the one content that is larger than the chunks a store keeps contents in. */
const LONG_LINE_BYTES = 3_000_000;

/** Contents that must be stored exactly. None is all zeros: that is what a power cut leaves, and no valid content. */
export function awkwardContents(): readonly AwkwardContent[] {
  return [
    ...Object.entries(hexContents).map(([name, hex]) => ({ name, bytes: Buffer.from(hex, 'hex') })),
    ...Object.entries(textContents).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    { name: 'one-long-line', bytes: Buffer.alloc(LONG_LINE_BYTES, 'a long line without end — ') },
  ];
}

/** File names that a Linux file system can hold and programs stumble over. */
export function awkwardNames(): readonly Buffer[] {
  const texts = [
    'line\nbreak.md',
    'carriage\rreturn',
    'tab\tname',
    'back\\slash',
    'backslash-n\\n',
    'quo"te\'s`.md',
    '-rf',
    '--help',
    ' leading and trailing ',
    'ends.with.dot.',
    '...',
    '*?[a]',
    '$(echo x)',
    '%s%n',
    '#hash;&|',
    'CON',
    'a:b',
    'caf\u00e9.md',
    'cafe\u0301.md',
    'Case.md',
    'case.md',
    'stra\u00dfe',
    'strasse',
    'right-to-left-\u202egnp.exe',
    'escape-\u001b[31m',
    '\ufeffbom',
    '.hidden',
    '.DS_Store',
    'draft.swp',
    'notes~',
    '🚀',
    'n'.repeat(255),
  ];
  return [
    ...texts.map((text) => Buffer.from(text)),
    Buffer.from([0xff]),
    Buffer.from('half-\u00e9').subarray(0, -1),
  ];
}

/** Symlinks by name. The targets need not exist: a symlink is its target string. */
export const linkTargets: Readonly<Record<string, Buffer>> = {
  dangling: Buffer.from('nowhere/at/all'),
  absolute: Buffer.from('/nonexistent/absolute'),
  'loop-a': Buffer.from('loop-b'),
  'loop-b': Buffer.from('loop-a'),
  self: Buffer.from('self'),
  'to-directory': Buffer.from('../attachments'),
  'to-parent': Buffer.from('..'),
  'to-file': Buffer.from('../spec.md'),
  'awkward-target': Buffer.from('line\nbreak\\and\xff', 'latin1'),
  'long-target': Buffer.alloc(1000, 'directory/'),
};

/** Modes beyond the usual; all of them readable by their owner. The read-only directory is empty, so it can be removed. */
export const oddModes = {
  file: [0o400, 0o440, 0o500, 0o640, 0o666, 0o777, 0o4755, 0o2755],
  directory: [0o700, 0o555, 0o777, 0o1777, 0o2755],
} as const;
