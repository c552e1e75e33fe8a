import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { rawControls, runHuman } from './human-output.js';
import type { HostileCase } from './hostile-case.js';
import { CANARY, sbiId, sbiPath, type Place } from './place.js';

/** A case that puts the given files into the directory of an SBI, where they are all data. */
function contents(id: string, input: string, files: Readonly<Record<string, string | Buffer>>): HostileCase {
  return {
    id,
    input,
    expect: { verdict: 'exact' },
    prepare: (place) => place.putSbi(1, files),
  };
}

const MEBIBYTE = 1_048_576;

function prose(bytes: number): Buffer {
  return Buffer.alloc(bytes, 'A line of prose that an agent wrote.\n');
}

/** Bytes of contents. */
export const contentCases: readonly HostileCase[] = [
  contents('E01', 'bytes that are no UTF-8: 61 FF FE 62, overlong, UTF-16', {
    'spec.md': Buffer.from([0x61, 0xff, 0xfe, 0x62]),
    'implement_1.md': Buffer.from([0xc0, 0xaf, 0xe0, 0x80, 0xaf]),
    'review_2.md': Buffer.from('\ufeffUTF-16 \u3042', 'utf16le'),
    'implement_3.md': Buffer.from([0xed, 0xa0, 0x80]),
  }),
  contents('E02', 'NUL bytes in Markdown', {
    'spec.md': 'a\0b\0',
    'implement_1.md': '\0text',
    'review_2.md': 'DECISION: SUCCEEDED\0',
  }),
  {
    id: 'E03',
    input: 'half a surrogate pair in a text given by a caller',
    expect: { verdict: 'not applicable' },
    note: 'No command and no use case takes content from a caller; files hold bytes, see E01 and J14',
  },
  contents('E04', 'a UTF-8 byte order mark', {
    'spec.md': '\ufeff# spec\n',
    'implement_1.md': '\ufeff',
    'review_2.md': '\ufeff\ufeffDECISION: OK\n',
  }),
  contents('E05', 'CRLF, mixed ends of line, a lone CR, U+2028, U+0085', {
    'spec.md': 'a\r\nb\nc\rd\u2028e\u0085f\r\n',
    'implement_1.md': '\r',
    'review_2.md': 'text\r\nDECISION: SUCCEEDED\r\n',
  }),
  contents('E06', 'no final line feed, line feeds only, an empty file beside a missing one', {
    'spec.md': '',
    'implement_1.md': '\n\n\n',
    'review_2.md': 'no line feed at the end',
    'impl_notes.md': '',
  }),
  {
    id: 'E07',
    input: 'Markdown of 64 MiB, and 64 MiB on one line',
    note: 'Contents are streamed in pieces of 1 MiB and have no size limit',
    expect: { verdict: 'exact' },
    prepare: (place) =>
      place.putSbi(1, {
        'spec.md': prose(64 * MEBIBYTE),
        'implement_1.md': Buffer.alloc(64 * MEBIBYTE, 'x'),
      }),
  },
  {
    id: 'E08',
    input: 'a file of 1.1 billion bytes, more than a row of SQLite or a text of JavaScript can hold',
    note: 'Stored in rows of 1 MiB',
    isHeavy: true,
    compare: 'listing',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      place.putSbi(1, { 'attachment.bin': 'x' });
      execFileSync('truncate', ['-s', '1100000000', join(place.home, sbiPath(1, 'attachment.bin'))]);
    },
  },
  {
    id: 'E09',
    input: 'spec.md, state.json, a step file and the journal made of zero bytes only',
    note: 'What a power cut leaves; another file of zeros is data',
    expect: {
      verdict: 'quarantine',
      errors: [
        [sbiPath(1, 'spec.md'), 'zero-filled'],
        [sbiPath(1, 'state.json'), 'zero-filled'],
        [sbiPath(1, 'implement_1.md'), 'zero-filled'],
        ['var/journal.ndjson', 'zero-filled'],
      ],
    },
    prepare: (place) => {
      const zeros = {
        'spec.md': 10,
        'state.json': 300,
        'implement_1.md': 3 * MEBIBYTE,
        'attachment.bin': 100,
      };
      for (const [name, bytes] of Object.entries(zeros)) place.put(sbiPath(1, name), Buffer.alloc(bytes));
      place.put('var/journal.ndjson', Buffer.alloc(5 * MEBIBYTE));
    },
  },
  {
    id: 'E10',
    input: 'files cut in the middle of a character, and state.json in the middle of its JSON',
    note: 'Content is bytes; a state that cannot be parsed is kept uninterpreted',
    expect: { verdict: 'quarantine', errors: [[sbiPath(2, 'state.json'), 'json-syntax']] },
    prepare: (place) => {
      place.putSbi(1, {
        'spec.md': Buffer.from('caf\u00e9').subarray(0, 4),
        'implement_1.md': Buffer.from([0xf0, 0x9f]),
      });
      place.putSbi(2, { 'state.json': '{"status":"READY","label":"caf' });
    },
  },
  contents('E11', 'front matter, SQL, footers of exports and marks of conflicts as content', {
    'spec.md': '---\nstatus: DONE\nid: ../../x\n---\n<<<<<<< file\na\n=======\nb\n>>>>>>> db\n',
    'implement_1.md': "'); DROP TABLE sbi; --\n-- DeeSpec export footer\n",
    'review_2.md': '${process.exit(9)} `rm -rf /` $(reboot) {{7*7}} <script>alert(1)</script>\n',
  }),
  {
    id: 'E12',
    input: 'terminal escapes, direction overrides and 100,000 combining marks in contents and titles',
    note: 'Stored as they are; printed escaped',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      const text = `\u001b[2J\u001b]0;owned\u0007\u202e\u2066${'\u0301'.repeat(100_000)}`;
      place.putSbi(1, {
        'spec.md': text,
        'implement_1.md': text,
        'state.json': JSON.stringify({ status: 'READY', label: '\u001b[31m\u202ered', task_id: '\u009b31m' }),
      });
    },
    check: async (place) => {
      const shown = await Promise.all([
        runHuman(place, ['sbi', 'list']),
        runHuman(place, ['sbi', 'show', sbiId(1)]),
        runHuman(place, ['execution', 'list', sbiId(1)]),
      ]);
      return shown.flatMap(rawControls);
    },
  },
  {
    id: 'E13',
    input: 'a transaction whose checksums and sizes are not those of its files',
    note: 'They say what was meant then, not what must be now: kept as data of the audit row',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      const file = { destination: sbiPath(0, 'spec.md'), checksum: '0'.repeat(64), size: 1, mode: 0 };
      place.put('journal/2025-01-01/t1/manifest.json', JSON.stringify({ id: 't1', files: [file] }));
      place.put('journal/2025-01-01/t1/status.commit', '{"txn_id":"t1","success":true}');
    },
  },
  {
    id: 'E14',
    input: 'the same content in two SBIs and at several paths; then one of them is deleted',
    note: 'The next migrate removes the one and keeps the other',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      for (const n of [1, 2])
        place.putSbi(n, { 'implement_1.md': CONTENT, 'copy.md': CONTENT, 'big.bin': prose(3 * MEBIBYTE) });
    },
    check: deleteOne,
  },
];

const CONTENT = 'the same in both\n';

async function deleteOne(place: Place): Promise<string[]> {
  rmSync(join(place.home, `specs/sbi/${sbiId(1)}`), { recursive: true });
  await runHuman(place, ['migrate']);
  const verified = await runHuman(place, ['verify', '--check-all']);
  const shown = await runHuman(place, [
    'execution',
    'show',
    sbiId(2),
    '--run',
    '1',
    '--turn',
    '1',
    '--step',
    'implement',
    '--content',
  ]);
  return [
    ...(verified.includes('are equal') ? [] : [`verify says: ${verified}`]),
    ...(shown.includes(CONTENT.trim()) && !shown.includes(CANARY)
      ? []
      : [`the other content is gone: ${shown}`]),
  ];
}
