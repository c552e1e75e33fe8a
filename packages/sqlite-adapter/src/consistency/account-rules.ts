import { REBUILD, type ConsistencyRule } from './rule.js';

const SYNC = 'deespec sync';

/** What must hold of the database's account of the files, and of its evidence. */
export const accountRules: readonly ConsistencyRule[] = [
  {
    rule: 'outbox-mode',
    severity: 'warning',
    title: 'files are owed something in a mode that pays no such debts',
    why: 'only where SQLite is the truth do files follow it: nobody looks at these rows',
    sql: `SELECT o.path AS entity, 'owed since ' || o.since || ' in mode ' || s.mode AS found
FROM outbox o JOIN storage_state s ON s.id = 1
WHERE s.mode <> 'sqlite' ORDER BY o.path;`,
    fix: REBUILD,
    repair: 'none',
  },
  {
    rule: 'outbox-revision',
    severity: 'error',
    title: 'files are owed a revision that was never given',
    why: 'a debt is cleared only for the revision that was paid: this one stays for ever',
    sql: `SELECT o.path AS entity, 'revision ' || o.rev || '; the newest is ' || s.rev AS found
FROM outbox o JOIN storage_state s ON s.id = 1
WHERE o.rev > s.rev ORDER BY o.path;`,
    fix: REBUILD,
    repair: 'none',
  },
  {
    rule: 'change-without-debt',
    severity: 'warning',
    title: 'the database holds another version than the files were seen to hold, and owes nothing',
    why: 'such a difference stays unseen until both stores are compared as a whole',
    sql: `SELECT t.path AS entity, iif(p.path IS NULL, 'never seen in the files', 'the files had another version') AS found
FROM tree_entry t
JOIN storage_state s ON s.id = 1 AND s.mode IN ('dual_write', 'sqlite')
LEFT JOIN projection p ON p.path = t.path
WHERE (p.path IS NULL OR p.kind <> t.kind OR p.mode <> t.mode OR p.sha256 <> t.sha256)
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.path = t.path)
ORDER BY t.path;`,
    fix: SYNC,
    repair: 'none',
  },
  {
    rule: 'removal-without-debt',
    severity: 'warning',
    title: 'a path was removed from the database, and the files are not owed its removal',
    why: 'the next comparison of both stores takes the file for one that is to go',
    sql: `SELECT p.path AS entity, 'no entry, no debt; the files had it' AS found
FROM projection p
JOIN storage_state s ON s.id = 1 AND s.mode IN ('dual_write', 'sqlite')
WHERE NOT EXISTS (SELECT 1 FROM tree_entry t WHERE t.path = p.path)
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.path = p.path)
ORDER BY p.path;`,
    fix: 'deespec sync --dry-run shows what would go; then deespec sync',
    repair: 'none',
  },
  {
    rule: 'evidence-missing',
    severity: 'error',
    title: 'no migration is on record',
    why: 'a database counts only with evidence that it held what the files held',
    sql: `SELECT 'database' AS entity, 'no evidence of a migration' AS found
WHERE NOT EXISTS (SELECT 1 FROM evidence WHERE action = 'migrate');`,
    fix: 'move deespec.db away, then run "deespec migrate"',
    repair: 'none',
  },
  {
    rule: 'evidence-changed',
    severity: 'error',
    title: 'a row of evidence is not as it was written',
    why: 'it says what was proven and when: changed, it proves nothing',
    code: 'compares evidence.checksum with the SHA-256 of the other columns',
    fix: 'deespec verify --check-all records what is true now',
    repair: 'none',
  },
  {
    rule: 'evidence-counts',
    severity: 'error',
    title: 'there are more or fewer entries or bytes than were migrated',
    why: 'in mode file only a migration changes the entries: somebody else did',
    sql: `SELECT 'evidence ' || e.run_id AS entity,
  e.entries || ' entries, ' || e.bytes || ' bytes were migrated; now ' || t.entries || ', ' || t.bytes AS found
FROM (SELECT * FROM evidence WHERE action = 'migrate' ORDER BY at DESC, run_id DESC LIMIT 1) e
JOIN storage_state s ON s.id = 1 AND s.mode = 'file' AND s.epoch = e.epoch
JOIN (SELECT count(*) AS entries, coalesce(sum(size), 0) AS bytes FROM tree_entry) t
WHERE e.entries <> t.entries OR e.bytes <> t.bytes;`,
    fix: 'deespec verify --check-all, then deespec migrate',
    repair: 'none',
  },
  {
    rule: 'evidence-rows',
    severity: 'error',
    title: 'rows are not those that were migrated, and no other rule says which',
    why: 'in mode file only a migration changes rows, and it records a hash of all of them',
    code: 'compares evidence.record with the hash of all rows; only when no other rule finds an error',
    fix: 'deespec verify --check-all, then deespec migrate',
    repair: 'none',
  },
];
