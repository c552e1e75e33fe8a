import { consistencyRules, type ConsistencyRule } from '@deespec/sqlite-adapter';

/** What must hold between the database and what is kept beside it. */
const besideRules: readonly ConsistencyRule[] = [
  {
    rule: 'store-state',
    severity: 'error',
    title: 'the database is of another tree, mode or epoch than .storage/epoch says',
    why: 'an older file, or one of another tree, was put in its place: commands refuse it',
    code: 'compares storage_state (SELECT * FROM storage_state) with .storage/epoch',
    fix: 'put the right deespec.db back; in mode file move it away and run "deespec migrate"',
    repair: 'prevents',
  },
  {
    rule: 'audit-chain',
    severity: 'error',
    title: 'a record of a change was altered, is missing, or is another one outside the database',
    why: 'the chain proves who changed what; a broken one proves nothing from there on',
    code: 'follows the chain in audit_log and in .storage/audit.ndjson and compares both, as "deespec audit verify" does',
    fix: 'never mended: keep both copies of the chain; "deespec audit verify" names the records, and the copy that is whole is the truth',
    repair: 'none',
  },
];

/** Every rule of `deespec check`. */
export const checkRules: readonly ConsistencyRule[] = [...besideRules, ...consistencyRules];
