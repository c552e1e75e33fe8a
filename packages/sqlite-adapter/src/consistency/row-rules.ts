import { REBUILD, REPAIR, type ConsistencyRule } from './rule.js';

const DERIVED = 'derives every unit of the tree again from the stored bytes and compares each row with it';

const LOOK = 'the rows say what the files say: "deespec sbi show <id>" and the journal show what happened';

/** What must hold of the index: rows that are derived, and what the strategy document asks of them. */
export const rowRules: readonly ConsistencyRule[] = [
  {
    rule: 'index-sbi',
    severity: 'error',
    title: 'a row of sbi is not what the bytes say',
    why: 'lists and queries would answer otherwise than the files do',
    code: DERIVED,
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'index-execution',
    severity: 'error',
    title: 'a row of execution is not what the bytes say',
    why: 'lists and queries would answer otherwise than the files do',
    code: DERIVED,
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'index-config',
    severity: 'error',
    title: 'a row of config is not what the bytes say',
    why: 'a service would work with another setting than the files have',
    code: DERIVED,
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'index-audit',
    severity: 'error',
    title: 'a derived row of audit_log is not what the bytes say',
    why: 'it is the account of a transaction of the tree, and would name another actor, time or change',
    code: DERIVED,
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'index-journal',
    severity: 'error',
    title: 'the kept parse of the journal is not that of the journal',
    why: 'the next change derives its rows from it',
    code: 'parses var/journal.ndjson again and compares every event and the state',
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'index-search',
    severity: 'error',
    title: 'the words to search for are not those of the texts',
    why: 'a search would find items by words that they no longer hold, or miss them',
    code: 'compares the hash of the texts of each SBI with the one its words were taken from, and both tables of the search',
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'orphan-execution',
    severity: 'error',
    title: 'an execution has no SBI',
    why: 'somebody changed the database without foreign keys; no list shows the execution',
    sql: `SELECT e.sbi_id || ' run ' || e.run || ' turn ' || e.turn || ' ' || e.step AS entity, 'no such SBI' AS found
FROM execution e LEFT JOIN sbi s ON e.sbi_id = s.id
WHERE s.id IS NULL ORDER BY e.sbi_id, e.run, e.turn, e.step;`,
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'turn-repeated',
    severity: 'warning',
    title: 'a step of a turn was recorded more than once',
    why: 'the journal has several lines for it: the last one is the row, the others are in its metadata',
    sql: `SELECT sbi_id || ' run ' || run || ' turn ' || turn || ' ' || step AS entity,
  (json_array_length(metadata, '$.earlier') + 1) || ' lines of the journal' AS found
FROM execution WHERE json_array_length(metadata, '$.earlier') > 0 ORDER BY sbi_id, run, turn, step;`,
    fix: LOOK,
    repair: 'none',
  },
  {
    rule: 'turn-gap',
    severity: 'warning',
    title: 'turns of a run do not follow each other',
    why: 'a step was lost or never recorded; several steps of a turn, and a run that begins anew at 1, are no gap',
    sql: `SELECT sbi_id || ' run ' || run AS entity, 'turn ' || turn || ' after ' || previous AS found
FROM (
  SELECT sbi_id, run, turn,
    lag(turn, 1, CASE WHEN is_picked THEN 0 ELSE turn - 1 END) OVER (PARTITION BY sbi_id, run ORDER BY turn) AS previous
  FROM (
    SELECT sbi_id, run, turn, max(max(turn = 1 OR step = 'plan')) OVER (PARTITION BY sbi_id, run) AS is_picked
    FROM execution GROUP BY sbi_id, run, turn
  )
)
WHERE turn > previous + 1 ORDER BY sbi_id, run, turn;`,
    fix: LOOK,
    repair: 'none',
  },
  {
    rule: 'run-gap',
    severity: 'warning',
    title: 'runs of an SBI do not follow each other',
    why: 'a run begins when the item is taken up again, so one of them was lost or never recorded',
    sql: `SELECT sbi_id AS entity, 'run ' || run || ' after ' || previous AS found
FROM (
  SELECT sbi_id, run, lag(run, 1, 0) OVER (PARTITION BY sbi_id ORDER BY run) AS previous
  FROM (SELECT DISTINCT sbi_id, run FROM execution)
)
WHERE run > previous + 1 ORDER BY sbi_id, run;`,
    fix: LOOK,
    repair: 'none',
  },
  {
    rule: 'done-undecided',
    severity: 'warning',
    title: 'an SBI is DONE without an execution that succeeded',
    why: 'it was never decided so: SUCCEEDED, or OK in older trees',
    sql: `SELECT s.id AS entity, 'DONE, and no execution is SUCCEEDED or OK' AS found
FROM sbi s WHERE s.status = 'DONE'
AND NOT EXISTS (SELECT 1 FROM execution e WHERE e.sbi_id = s.id AND e.decision IN ('SUCCEEDED', 'OK'))
ORDER BY s.id;`,
    fix: 'when it is not done: deespec sbi set-status <id> REVIEW, or, where the journal of the workflow tool says so, let it pick the item again',
    repair: 'none',
  },
  {
    rule: 'completed-time',
    severity: 'warning',
    title: 'an SBI is DONE without a completion time, or has one without being DONE',
    why: 'reports by time leave it out, or count it twice',
    sql: `SELECT id AS entity, status || ', completed_at ' || coalesce(completed_at, 'is missing') AS found
FROM sbi WHERE (status = 'DONE') <> (completed_at IS NOT NULL) ORDER BY id;`,
    fix: LOOK,
    repair: 'none',
  },
  {
    rule: 'time-order',
    severity: 'warning',
    title: 'something ended before it began',
    why: 'a clock was wrong, or a time was edited; durations would be negative',
    sql: `SELECT id AS entity, 'created ' || created_at || ', completed ' || completed_at AS found
FROM sbi WHERE completed_at < created_at
UNION ALL
SELECT sbi_id || ' run ' || run || ' turn ' || turn || ' ' || step, 'started ' || started_at || ', completed ' || completed_at
FROM execution WHERE completed_at < started_at;`,
    fix: LOOK,
    repair: 'none',
  },
  {
    rule: 'lease-expired',
    severity: 'warning',
    title: 'an SBI is in work although its lease has ended',
    why: 'who worked on it died or forgot it; it stays in work until somebody takes it over',
    sql: `SELECT e.sbi_id || ' run ' || e.run || ' turn ' || e.turn || ' ' || e.step AS entity,
  s.status || ', lease until ' || e.lease_expires_at AS found
FROM execution e JOIN sbi s ON s.id = e.sbi_id
WHERE s.status IN ('WIP', 'REVIEW&WIP') AND e.lease_expires_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
ORDER BY e.lease_expires_at;`,
    fix: 'start the worker again, which takes it over; to give it back: deespec sbi set-status <id> READY',
    repair: 'none',
  },
  {
    rule: 'audit-kind',
    severity: 'error',
    title: 'a row of audit_log belongs neither to the tree nor to the chain, or to both',
    why: 'it is a row that no program of ours wrote',
    sql: `SELECT 'audit_log ' || id AS entity, iif(seq IS NULL, 'neither path nor seq', 'both path and seq') AS found
FROM audit_log WHERE (path IS NULL) = (seq IS NULL) ORDER BY id;`,
    fix: `nobody but who wrote it can tell what it is: keep a copy of the database; ${REBUILD}`,
    repair: 'prevents',
  },
];
