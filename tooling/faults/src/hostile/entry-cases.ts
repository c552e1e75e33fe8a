import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { runHuman } from './human-output.js';
import type { HostileCase } from './hostile-case.js';
import { migrateFails } from './make-case.js';
import { rewriting } from './journal-cases.js';
import { sbiId, sbiPath, type Place } from './place.js';

const journal = 'var/journal.ndjson';

const special = 'FILE.SPECIAL';

/** Kinds of entries, and places of trees. */
export const entryCases: readonly HostileCase[] = [
  ...(['FIFO', 'socket', 'device'] as const).map((kind, at): HostileCase => ({
    id: `P10${['', 'b', 'c'][at]}`,
    input: `a ${kind} in the tree`,
    note: 'It has no bytes to keep, so --quarantine refuses too',
    ...(kind === 'device' ? { needs: ['root'] } : {}),
    expect: { verdict: 'refuse', refusals: migrateFails(74, special) },
    prepare: (place) => makeSpecial(place, kind),
  })),
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
    id: 'P18',
    isHeavy: true,
    input: 'directories 1,900 deep',
    note: 'Every readable entry is stored, however deep, as long as the system takes its path',
    compare: 'listing',
    expect: { verdict: 'exact' },
    prepare: (place) => place.putDeep(1_900, 'd'),
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
      return JSON.stringify(ignored) === JSON.stringify(wanted)
        ? []
        : [`ignored: ${JSON.stringify(ignored)}`];
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
      const text = await runHuman({ home: join(place.directory, 'link') }, ['migrate', '--dry-run']);
      const isReal = text.includes(place.home);
      const isWarned = text.includes('everybody may write');
      return [
        ...(isReal ? [] : ['the real path is not printed']),
        ...(isWarned ? [] : [`no warning: ${text}`]),
      ];
    },
  },
  {
    id: 'P24',
    input: 'root works on the tree of another user',
    needs: ['root'],
    note: 'There is no switch that allows it; not even .storage is made',
    expect: {
      verdict: 'refuse',
      refusals: [
        ...migrateFails(77, 'PREFLIGHT.FOREIGN_OWNER'),
        { args: ['verify'], exit: 66, code: 'DATABASE.NOT_FOUND' },
      ],
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

function makeFifo(place: Place, path: string): void {
  place.put(`${path}.beside`, '');
  execFileSync('rm', ['-f', join(place.home, path)]);
  execFileSync('mkfifo', [join(place.home, path)]);
}

const listen = "require('node:net').createServer().listen('special', () => process.exit())";

function makeSpecial(place: Place, kind: 'FIFO' | 'socket' | 'device'): void {
  const options = { cwd: place.home };
  if (kind === 'FIFO') execFileSync('mkfifo', ['special'], options);
  else if (kind === 'device') execFileSync('mknod', ['special', 'c', '1', '3'], options);
  // In a process of its own: a socket's path has at most 107 bytes, and closing it in order would remove it.
  else execFileSync(process.execPath, ['-e', listen], options);
}

function give(place: Place, user: number): void {
  chmodSync(join(place.directory, '..'), 0o755);
  execFileSync('chown', ['-R', String(user), join(place.directory, 'project')]);
  chownSync(place.directory, user, user);
}
