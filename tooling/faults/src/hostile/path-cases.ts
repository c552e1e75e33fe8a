import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { rawControls, runHuman } from './human-output.js';
import type { HostileCase, Refusal } from './hostile-case.js';
import { rewriting } from './journal-cases.js';
import { sbiId, sbiPath, type Place } from './place.js';

const journal = 'var/journal.ndjson';

function migrateFails(exit: number, code: string): readonly Refusal[] {
  return ['migrate', '--quarantine'].map((last) => ({ args: ['migrate', ...(last === 'migrate' ? [] : [last])], exit, code }));
}

function ready(id: string): string {
  return JSON.stringify({ status: 'READY', id });
}

const escapes = '/\\\n\t\u001b[31m\u007f\u202e\u2066x';

/** A directory and a file whose names no program expects. */
function putNames(place: Place, names: readonly (string | Buffer)[]): void {
  for (const name of names) place.put(Buffer.concat([Buffer.from('knowledge/'), Buffer.from(name)]), `${names.indexOf(name)}\n`);
}

const special = 'FILE.SPECIAL';

/** Names, links and kinds of entries. */
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
    input: 'absolute paths, C:\\x, \\\\srv\\x in spec_path, last_artifacts and a transaction\u2019s destination',
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
      const destinations = { etc: '/etc/passwd', drive: 'C:\\x', share: '\\\\srv\\x', climb: 'specs/../../x' };
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
      errors: [
        ['specs/sbi/SBI-\\x0a\\x09\\x1b[31m\\x7f\\u{202e}', 'sbi-id-format'],
      ],
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
    input: 'spec.md, state.json, a step file and setting.json as symlinks to files outside',
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
      for (const [from, to] of Object.entries({ self: 'self', a: 'b', b: 'a', none: 'no/such/file', up: '..', root: '/' }))
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
  ...(['FIFO', 'socket', 'device'] as const).map(
    (kind, at): HostileCase => ({
      id: `P10${['', 'b', 'c'][at]}`,
      input: `a ${kind} in the tree`,
      note: 'It has no bytes to keep, so --quarantine refuses too',
      ...(kind === 'device' ? { needs: ['root'] } : {}),
      expect: { verdict: 'refuse', refusals: migrateFails(74, special) },
      prepare: (place) => makeSpecial(place, kind),
    }),
  ),
  ...['setting.json', 'workflow.json', 'var/state.json', journal, sbiPath(1, 'state.json')].map(
    (path, at): HostileCase => ({
      id: `P10${'defgh'[at]}`,
      input: `a FIFO at ${path.replace(sbiId(1), '<id>')}`,
      note: 'Not waited for',
      expect: { verdict: 'refuse', refusals: migrateFails(74, special) },
      prepare: (place) => makeFifo(place, path),
    }),
  ),
  {
    id: 'P11',
    input: 'directories named spec.md, state.json and setting.json; a file named specs/sbi/<id>',
    expect: {
      verdict: 'quarantine',
      errors: [
        [sbiPath(1, 'spec.md'), 'not-a-regular-file'],
        [sbiPath(1, 'state.json'), 'not-a-regular-file'],
        ['setting.json', 'not-a-regular-file'],
        [`specs/sbi/${sbiId(2)}`, 'not-a-directory'],
      ],
    },
    prepare: (place) => {
      renameSync(join(place.home, 'setting.json'), join(place.home, 'kept.json'));
      for (const path of [sbiPath(1, 'spec.md'), sbiPath(1, 'state.json'), 'setting.json'])
        place.put(`${path}/inside.md`, 'x');
      place.put(`specs/sbi/${sbiId(2)}`, 'x');
    },
  },
  {
    id: 'P11b',
    input: 'a file named specs',
    expect: { verdict: 'quarantine', errors: [['specs', 'not-a-directory']] },
    prepare: (place) => {
      renameSync(join(place.home, 'specs'), join(place.home, 'kept'));
      place.put('specs', 'x');
    },
  },
  {
    id: 'P12',
    input: 'another file system mounted inside the tree',
    needs: ['mount'],
    expect: { verdict: 'refuse', refusals: migrateFails(78, 'PREFLIGHT.OTHER_DEVICE') },
    note: 'One tree is one file system: what is renamed, counted as free and locked is asked of its root',
    prepare: (place) => {
      place.put('knowledge/below/x.md', 'x');
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'hostile', join(place.home, 'knowledge/below')]);
      place.put('knowledge/below/y.md', 'y');
    },
    cleanUp: (place) => void execFileSync('umount', [join(place.home, 'knowledge/below')]),
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
      const names = [[0xff], [0x61, 0xff, 0xfe, 0x62], [0xc0, 0xaf], [0xe9, 0x2e, 0x6d, 0x64], [0xe3, 0x81], [0x80]];
      putNames(place, [...names.map((bytes) => Buffer.from(bytes)), '\ufffd']);
      place.put(Buffer.concat([Buffer.from('specs/sbi/SBI-'), Buffer.from([0xff]), Buffer.from('/spec.md')]), 'x');
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
    prepare: (place) => putNames(place, ['CON', 'nul.md', 'a.', 'a ', ' a', 'a:b', 'a*b', 'a?', '...', '-rf', '~', '$(x)']),
  },
  {
    id: 'P17',
    input: 'names of 255 bytes, a path of 3,900 bytes',
    note: 'Temporary names do not hold the name they stand for',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      putNames(place, ['n'.repeat(255), `${'m'.repeat(252)}.md`, '\u00e9'.repeat(127)]);
      putDeep(place, 15, 'd'.repeat(255));
    },
  },
  {
    id: 'P17b',
    input: 'a path of more than 4,096 bytes',
    note: 'No system call of Node takes such a path whole, so its bytes cannot be had',
    compare: 'listing',
    expect: { verdict: 'refuse', refusals: migrateFails(74, 'FILE.READ_FAILED') },
    prepare: (place) => putDeep(place, 20, 'd'.repeat(255)),
  },
  {
    id: 'P18',
    input: 'directories 2,000 deep',
    note: 'Every readable entry is stored, however deep; nothing recurses',
    compare: 'listing',
    expect: { verdict: 'exact' },
    prepare: (place) => putDeep(place, 1_900, 'd'),
  },
  {
    id: 'P18b',
    input: '200,000 entries in one directory',
    isHeavy: true,
    compare: 'listing',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      mkdirSync(join(place.home, 'knowledge/many'), { recursive: true });
      for (let at = 0; at < 200_000; at += 1) place.put(`knowledge/many/entry-${at}.md`, '');
    },
  },
  {
    id: 'P19',
    input: '.tmp.x, .tmp-x, x.tmp, the Go tool\u2019s locks; .DS_Store, a swap file, x~',
    note: 'The first five are ignored, listed and left where they are; the others are data',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      for (const name of ['.tmp.x', '.tmp-x', 'x.tmp', '.DS_Store', '.x.md.swp', 'x~', '.tmpx', 'tmp'])
        place.put(sbiPath(0, name), 'x');
      place.put('var/runlock', '{"pid":1,"hostname":"elsewhere","expires_at":"2020-01-01T00:00:00Z"}');
    },
    check: (_, runs) => {
      const ignored = runs[0]?.document?.data?.['ignored'];
      const wanted = [...['.tmp-x', '.tmp.x', 'x.tmp'].map((name) => sbiPath(0, name)), 'var/runlock'];
      return JSON.stringify(ignored) === JSON.stringify(wanted) ? [] : [`ignored: ${JSON.stringify(ignored)}`];
    },
  },
  {
    id: 'P20',
    input: 'meta.yml and meta.yaml with different bytes',
    note: 'Never picked silently; two equal ones are one',
    expect: {
      verdict: 'quarantine',
      errors: [
        [sbiPath(1, 'meta.yaml'), 'meta-ambiguous'],
        [sbiPath(1, 'meta.yml'), 'meta-ambiguous'],
      ],
    },
    prepare: (place) => {
      place.putSbi(1, { 'meta.yml': 'title: a\n', 'meta.yaml': 'title: b\n' });
      place.putSbi(2, { 'meta.yml': 'title: a\n', 'meta.yaml': 'title: a\n' });
    },
  },
  {
    id: 'P21',
    input: 'a file that grows without pause while it is read',
    note: 'After three rounds; a file that changes once is read again and the run succeeds',
    expect: { verdict: 'refuse', refusals: [{ args: ['migrate'], exit: 75, code: 'TREE.UNSTABLE' }] },
    prepare: (place) => place.put('knowledge/growing.log', 'x'.repeat(2_000_000)),
    meanwhile: rewriting('knowledge/growing.log', 'append'),
  },
  {
    id: 'P22',
    input: 'a file of mode 0000, read by a user who is not root',
    needs: ['root'],
    note: 'Its bytes cannot be had, so --quarantine refuses too',
    wrapper: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
    expect: { verdict: 'refuse', refusals: migrateFails(77, 'FILE.PERMISSION') },
    prepare: (place) => {
      place.put('knowledge/closed.md', 'x');
      chmodSync(join(place.home, 'knowledge/closed.md'), 0);
      give(place, 65_534);
    },
  },
  {
    id: 'P23',
    input: 'the tree is named through a symlink, in a directory that everybody may write',
    note: 'Resolved once; the report names the real path and warns of the directory',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      chmodSync(join(place.directory, 'project'), 0o777);
      symlinkSync('project/.deespec', join(place.directory, 'link'));
    },
    check: async (place) => {
      const text = await runHuman(place, ['migrate', '--dry-run'], join(place.directory, 'link'));
      const isReal = text.includes(place.home);
      const isWarned = text.includes('everybody may write');
      return [...(isReal ? [] : ['the real path is not printed']), ...(isWarned ? [] : [`no warning: ${text}`])];
    },
  },
  {
    id: 'P24',
    input: 'root works on the tree of another user',
    needs: ['root'],
    note: 'There is no switch that allows it; not even .storage is made',
    expect: {
      verdict: 'refuse',
      refusals: [...migrateFails(77, 'PREFLIGHT.FOREIGN_OWNER'), { args: ['verify'], exit: 66, code: 'DATABASE.NOT_FOUND' }],
    },
    prepare: (place) => give(place, 65_534),
    check: (place) => (readdirSync(place.home).includes('.storage') ? ['.storage was made'] : []),
  },
  {
    id: 'P25',
    input: 'a sparse file of 1 TiB',
    note: 'Contents have no size limit; the disk has, and it is asked before anything is read',
    compare: 'listing',
    expect: { verdict: 'refuse', refusals: migrateFails(74, 'PREFLIGHT.NO_SPACE') },
    prepare: (place) => {
      place.put('knowledge/sparse.bin', '');
      execFileSync('truncate', ['-s', '1T', join(place.home, 'knowledge/sparse.bin')]);
    },
  },
];

async function migrated(place: Place): Promise<void> {
  await runHuman(place, ['migrate']);
}

function makeFifo(place: Place, path: string): void {
  place.put(`${path}.beside`, '');
  execFileSync('rm', ['-f', join(place.home, path)]);
  execFileSync('mkfifo', [join(place.home, path)]);
}

async function makeSpecial(place: Place, kind: 'FIFO' | 'socket' | 'device'): Promise<void> {
  const path = join(place.home, 'special');
  if (kind === 'FIFO') execFileSync('mkfifo', [path]);
  if (kind === 'device') execFileSync('mknod', [path, 'c', '1', '3']);
  if (kind !== 'socket') return;
  // A socket's path has at most 107 bytes, and closing the server removes it: another name stays.
  const server = createServer();
  process.chdir(place.home);
  await new Promise<void>((resolve) => server.listen('socket', resolve));
  linkSync('socket', 'special');
  server.close();
}

/** Directories below one another, and a file in the last, in steps that need no long path. */
function putDeep(place: Place, depth: number, name: string): void {
  mkdirSync(join(place.home, 'knowledge'), { recursive: true });
  const script = 'for ((i = 0; i < $1; i++)); do mkdir "$2" && cd "$2" || exit 1; done; echo x > bottom.md';
  execFileSync('bash', ['-c', script, 'deep', String(depth), name], { cwd: join(place.home, 'knowledge') });
}

function give(place: Place, user: number): void {
  chmodSync(join(place.directory, '..'), 0o755);
  execFileSync('chown', ['-R', String(user), join(place.directory, 'project')]);
  chownSync(place.directory, user, user);
}
