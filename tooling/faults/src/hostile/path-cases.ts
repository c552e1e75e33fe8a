import { linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { rawControls, runHuman } from './human-output.js';
import type { HostileCase } from './hostile-case.js';
import { migrateFails } from './make-case.js';
import { sbiId, sbiPath, type Place } from './place.js';

const journal = 'var/journal.ndjson';

function ready(id: string): string {
  return JSON.stringify({ status: 'READY', id });
}

const escapes = '/\\\n\t\u001b[31m\u007f\u202e\u2066x';

/** A directory and a file whose names no program expects. */
function putNames(place: Place, names: readonly (string | Buffer)[]): void {
  for (const name of names)
    place.put(Buffer.concat([Buffer.from('knowledge/'), Buffer.from(name)]), `${names.indexOf(name)}\n`);
}

/** Ids, names and links. */
export const pathCases: readonly HostileCase[] = [
  {
    id: 'P01',
    input: 'ids ../../etc/cron.d/x, .. and . in state.json, var/state.json and a pick line',
    note: 'An id never becomes a path: the directory names the SBI',
    expect: {
      verdict: 'exact',
      warnings: [
        [sbiPath(1, 'state.json'), 'sbi-id-mismatch'],
        [sbiPath(2, 'state.json'), 'sbi-id-mismatch'],
        [sbiPath(3, 'state.json'), 'sbi-id-mismatch'],
        [journal, 'journal-no-sbi'],
      ],
    },
    prepare: (place) => {
      for (const [at, id] of ['../../etc/cron.d/x', '..', '.'].entries())
        place.putSbi(at + 1, { 'state.json': ready(id) });
      place.put('var/state.json', '{"wip":"../../../elsewhere"}');
      const pick = { type: 'pick', id: '../../x', path: '.deespec/specs/sbi/../../../elsewhere/canary.txt' };
      place.put(journal, `${JSON.stringify({ ts: '2025-01-01T00:00:00Z', artifacts: [pick] })}\n`);
    },
  },
  {
    id: 'P02',
    input:
      'absolute paths, C:\\x, \\\\srv\\x in spec_path, last_artifacts and a transaction\u2019s destination',
    note: 'Nothing is read or written there; last_artifacts is data',
    expect: {
      verdict: 'quarantine',
      errors: ['etc', 'drive', 'share', 'climb'].map((name) => [
        `journal/2025-01-01/${name}/manifest.json`,
        'path-unsafe',
      ]),
      warnings: [[journal, 'journal-no-sbi']],
    },
    prepare: (place) => {
      const destinations = {
        etc: '/etc/passwd',
        drive: 'C:\\x',
        share: '\\\\srv\\x',
        climb: 'specs/../../x',
      };
      for (const [name, destination] of Object.entries(destinations)) {
        const directory = `journal/2025-01-01/${name}`;
        place.put(`${directory}/manifest.json`, JSON.stringify({ id: name, files: [{ destination }] }));
        place.put(`${directory}/status.commit`, '{"success":true}');
      }
      place.putSbi(1, { 'state.json': '{"status":"READY","last_artifacts":{"spec":"/etc/passwd"}}' });
      const pick = { type: 'pick', id: '', spec_path: '/etc/passwd' };
      place.put(journal, `${JSON.stringify({ ts: '2025-01-01T00:00:00Z', artifacts: [pick] })}\n`);
    },
  },
  {
    id: 'P03',
    input: 'ids and names with /, \\, line feed, tab, escape, DEL and direction overrides; NUL in an id',
    note: 'Printed escaped, for people and as JSON',
    expect: {
      verdict: 'quarantine',
      errors: [['specs/sbi/SBI-\\x0a\\x09\\x1b[31m\\x7f\\u{202e}', 'sbi-id-format']],
      warnings: [
        [sbiPath(1, 'state.json'), 'sbi-id-mismatch'],
        [sbiPath(2, 'state.json'), 'sbi-id-mismatch'],
      ],
    },
    prepare: (place) => {
      place.putSbi(1, { 'state.json': ready(escapes) });
      place.putSbi(2, { 'state.json': ready('a\0b') });
      place.put('specs/sbi/SBI-\n\t\u001b[31m\u007f\u202e/spec.md', 'x');
      putNames(place, ['\u001b]0;title\u0007', 'a\nb', '\u202etxt.exe', '\\', '"']);
    },
    check: async (place) =>
      rawControls(await runHuman(place, ['migrate', '--dry-run', '--quarantine', '--validate'])),
  },
  {
    id: 'P04',
    input: 'a valid id with a line feed after it, as a directory and in state.json',
    expect: {
      verdict: 'quarantine',
      errors: [[`specs/sbi/${sbiId(2)}\\x0a`, 'sbi-id-format']],
      warnings: [[sbiPath(1, 'state.json'), 'sbi-id-mismatch']],
    },
    prepare: (place) => {
      place.putSbi(1, { 'state.json': ready(`${sbiId(1)}\n`) });
      place.put(`specs/sbi/${sbiId(2)}\n/spec.md`, 'x');
    },
  },
  {
    id: 'P05',
    input: 'spec.md, state.json, a step file and workflow.json as symlinks to files outside',
    note: 'A symlink is data: its target is stored and restored, and never read',
    expect: {
      verdict: 'quarantine',
      errors: [
        [sbiPath(1, 'spec.md'), 'not-a-regular-file'],
        [sbiPath(1, 'state.json'), 'not-a-regular-file'],
        [sbiPath(1, 'implement_1.md'), 'not-a-regular-file'],
        ['workflow.json', 'not-a-regular-file'],
      ],
    },
    prepare: (place) => {
      place.link(sbiPath(1, 'spec.md'), '/etc/shadow');
      for (const name of ['state.json', 'implement_1.md'])
        place.link(sbiPath(1, name), join(place.directory, 'canary.txt'));
      place.link('workflow.json', '../canary.md');
      place.link('knowledge/link.md', '../../canary.md');
    },
  },
  {
    id: 'P06',
    input: 'the directory of an SBI, and var, as symlinks to directories outside',
    expect: {
      verdict: 'quarantine',
      errors: [
        [`specs/sbi/${sbiId(1)}`, 'not-a-directory'],
        ['var', 'not-a-directory'],
      ],
    },
    prepare: (place) => {
      place.link(`specs/sbi/${sbiId(1)}`, join(place.directory, 'elsewhere'));
      place.link('var', '../../elsewhere');
    },
  },
  {
    id: 'P07',
    input: 'the target of an export is a symlink, dangling or to an empty directory outside',
    note: 'An export is made in a new directory of mode 0700 and renamed; nothing is written through a link',
    expect: {
      verdict: 'refuse',
      refusals: ['dangling', 'empty', 'file'].map((name) => ({
        args: (place: Place) => ['export', '--output', join(place.directory, 'links', name)],
        exit: 73,
        code: 'EXPORT.TARGET_NOT_EMPTY',
      })),
    },
    prepare: async (place) => {
      await migrated(place);
      mkdirSync(join(place.directory, 'links'));
      mkdirSync(join(place.directory, 'links/real'));
      symlinkSync('nowhere', join(place.directory, 'links/dangling'));
      symlinkSync('real', join(place.directory, 'links/empty'));
      symlinkSync('../canary.txt', join(place.directory, 'links/file'));
    },
  },
  {
    id: 'P08',
    input: 'symlinks that point at themselves, at each other, at nothing, at the root',
    note: 'Data, whatever they point at; at the place of a file that is read they are a finding, see P05',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      for (const [from, to] of Object.entries({
        self: 'self',
        a: 'b',
        b: 'a',
        none: 'no/such/file',
        up: '..',
        root: '/',
      }))
        place.link(`knowledge/${from}`, to);
      place.link(sbiPath(0, 'loop'), '.');
    },
  },
  {
    id: 'P09',
    input: 'hard links to a file outside, and of two files inside',
    note: 'Each name is stored by itself; the tree is only read, so the other name keeps its bytes',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      place.put('knowledge/inside.md', 'x');
      linkSync(join(place.home, 'knowledge/inside.md'), join(place.home, 'knowledge/twin.md'));
      linkSync(join(place.home, 'knowledge/inside.md'), join(place.directory, 'outside.md'));
    },
  },
  {
    id: 'P13',
    input: 'names with bytes that are no UTF-8: 0xFF, overlong, Latin-1, half a character',
    note: 'Paths are bytes; beside them a name with U+FFFD is another name',
    expect: {
      verdict: 'quarantine',
      errors: [['specs/sbi/SBI-\\xff', 'sbi-id-format']],
    },
    prepare: (place) => {
      const names = [
        [0xff],
        [0x61, 0xff, 0xfe, 0x62],
        [0xc0, 0xaf],
        [0xe9, 0x2e, 0x6d, 0x64],
        [0xe3, 0x81],
        [0x80],
      ];
      putNames(place, [...names.map((bytes) => Buffer.from(bytes)), '\ufffd']);
      place.put(
        Buffer.concat([Buffer.from('specs/sbi/SBI-'), Buffer.from([0xff]), Buffer.from('/spec.md')]),
        'x',
      );
    },
  },
  {
    id: 'P14',
    input: 'a name composed and decomposed (NFC and NFD), both at once',
    note: 'Two names on this file system; whether a target keeps them apart is seen when the export is read back',
    expect: { verdict: 'exact' },
    prepare: (place) => putNames(place, ['\u00e9.md', 'e\u0301.md', '\u1e9b\u0323', '\ufb01']),
  },
  {
    id: 'P15',
    input: 'names that differ in case only, \u00df and ss, SBI-a\u2026 and SBI-A\u2026',
    note: 'Lower case is no SBI id, so that directory is kept uninterpreted; files with such names are data',
    expect: {
      verdict: 'quarantine',
      errors: [[`specs/sbi/${sbiId(1).toLowerCase().replace('sbi-', 'SBI-')}`, 'sbi-id-format']],
    },
    prepare: (place) => {
      place.putSbi(1, { 'Spec.md': 'other', 'STATE.JSON': '{}' });
      place.put(`specs/sbi/${sbiId(1).toLowerCase().replace('sbi-', 'SBI-')}/spec.md`, 'x');
      putNames(place, ['\u00df', 'ss', 'SS', 'I', '\u0131', 'i']);
    },
  },
  {
    id: 'P16',
    input: 'names that Windows reserves: CON, nul.md, "a.", "a ", a:b, a*b',
    note: 'No command writes for other systems (there is no --portable), so there is nothing to warn about',
    expect: { verdict: 'exact' },
    prepare: (place) =>
      putNames(place, ['CON', 'nul.md', 'a.', 'a ', ' a', 'a:b', 'a*b', 'a?', '...', '-rf', '~', '$(x)']),
  },
  {
    id: 'P17',
    input: 'names of 255 bytes, a path of 3,900 bytes',
    note: 'Temporary names do not hold the name they stand for',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      putNames(place, ['n'.repeat(255), `${'m'.repeat(252)}.md`, '\u00e9'.repeat(127)]);
      place.putDeep(15, 'd'.repeat(255));
    },
  },
  {
    id: 'P17b',
    input: 'a path of more than 4,096 bytes',
    note: 'No system call of Node takes such a path whole, so its bytes cannot be had',
    compare: 'listing',
    expect: { verdict: 'refuse', refusals: migrateFails(74, 'FILE.READ_FAILED') },
    prepare: (place) => place.putDeep(20, 'd'.repeat(255)),
  },
];

async function migrated(place: Place): Promise<void> {
  await runHuman(place, ['migrate']);
}
