import type { SchemaDirection } from '@deespec/storage';
import { defineCommand, wholeNumber } from '../command.js';
import { confirm } from '../confirm.js';
import {
  renderDown,
  renderSchemaChange,
  renderSchemaProof,
  renderSchemaSql,
  renderSchemaStatus,
  renderSchemaVerification,
} from '../render-schema.js';
import type { Context, Outcome, Session } from '../session.js';

/** Scripts have three digits. */
const version = wholeNumber(1, 999);

/** `schema`: the versions of the database's schema. */
export function schemaCommand(session: Session) {
  return defineCommand('schema', {
    summary: 'bring the schema of the database to another version, proven first',
    description:
      'Look at the versions of the schema of .deespec/deespec.db, and change it. Each change is rehearsed on a copy, ' +
      'every row compared,\nand a verified copy from before is kept in .deespec/.storage/copies.',
    examples: [
      ['deespec schema status', 'which scripts the database has, and which this program has'],
      ['deespec schema up', 'bring the database to the version that this program works on'],
      ['deespec schema verify', 'what somebody changed by hand, as SQL'],
    ],
  })
    .addCommand(statusCommand(session))
    .addCommand(upCommand(session))
    .addCommand(downCommand(session))
    .addCommand(verifyCommand(session))
    .addCommand(proveCommand(session));
}

function statusCommand(session: Session) {
  return defineCommand('status', {
    summary: 'show which scripts the database has',
    description:
      'Show each version of the schema: its name, whether it is applied, since when, how long it took, its checksum. ' +
      'Also works on a database that this program refuses. Only reads.',
    examples: [
      ['deespec schema status', 'the table'],
      [
        'deespec schema status --json',
        'for a script: whole checksums, and "problem" when the database is refused',
      ],
    ],
  }).action((_options, command) =>
    session.read(command, async (context) => {
      const home = await context.home();
      const { readSchemaStatus } = await import('@deespec/storage');
      const status = await readSchemaStatus({ home });
      const hint = status.problem?.hint;
      return {
        data: status,
        text: () => renderSchemaStatus(status),
        notes: hint === undefined ? [] : [`hint: ${hint}`],
      };
    }),
  );
}

function upCommand(session: Session) {
  return defineCommand('up', {
    summary: 'apply the scripts that the database lacks',
    description:
      'Apply the scripts that the database lacks, alone on the tree: a copy is made and verified, the scripts run on ' +
      'another copy and every row is compared, and only then do they run on the database, each in one transaction with ' +
      'its record.\nThe first copy is kept.',
    examples: [
      ['deespec schema up --dry-run', 'do all of it on copies, and leave the database as it is'],
      ['deespec schema up --sql', 'print what would run'],
      ['deespec schema up --to 3', 'not further than version 3'],
    ],
  })
    .option('--to <version>', 'the version to reach (default: the newest)', version)
    .option('--dry-run', 'rehearse it on a copy only')
    .option('--sql', 'print the SQL that would run, and do nothing')
    .action((options, command) =>
      session.run(command, (context) => change(context, 'up', { ...options, yes: true })),
    );
}

function downCommand(session: Session) {
  return defineCommand('down', {
    summary: 'take scripts back, for a program of an earlier version',
    description:
      'Take the database back to an earlier version of the schema, the same way as "up". Nothing is dropped that cannot ' +
      'be had again: then it refuses. What will no longer be there is shown first.\nOn a terminal it asks; elsewhere it ' +
      'needs --yes.',
    examples: [
      ['deespec schema down --to 2', 'show what would be dropped, ask, take versions above 2 back'],
      ['deespec schema down --to 2 --yes --json', 'for a script'],
    ],
  })
    .requiredOption('--to <version>', 'the version to reach, 1 or later', version)
    .option('--dry-run', 'rehearse it on a copy only')
    .option('--sql', 'print the SQL that would run, and do nothing')
    .option('--yes', 'do not ask')
    .action((options, command) => session.run(command, (context) => change(context, 'down', options)));
}

interface ChangeOptions {
  readonly to?: number | undefined;
  readonly dryRun?: true | undefined;
  readonly sql?: true | undefined;
  readonly yes?: true | undefined;
}

async function change(
  context: Context,
  direction: SchemaDirection,
  { to, dryRun, sql, yes }: ChangeOptions,
): Promise<Outcome> {
  const home = await context.home();
  const { changeSchema, planSchema } = await import('@deespec/storage');
  const request = { home, direction, ...(to === undefined ? {} : { to }) };
  const isAsked = yes !== true && dryRun !== true;
  const plan = sql === true || isAsked ? await planSchema(request) : undefined;
  if (plan !== undefined && sql === true) return { data: plan, text: () => renderSchemaSql(plan) };
  const { signal } = context;
  if (plan !== undefined && plan.scripts.length > 0)
    await confirm({ about: renderDown(plan), words: `down to ${plan.to}`, signal });
  const report = await changeSchema({ ...request, dryRun: dryRun === true, signal });
  return { data: report, text: () => renderSchemaChange(report) };
}

function verifyCommand(session: Session) {
  return defineCommand('verify', {
    summary: 'compare the schema with what the scripts make',
    description:
      'Compare the records of the scripts with the scripts of this program, and the live schema with a replay of them in ' +
      'memory; the difference is shown as SQL. Only reads.\nExit 0: equal. Exit 2: differences.',
    examples: [
      ['deespec schema verify', 'what differs, and the SQL that would take it away'],
      ['deespec schema verify --json', 'for a script: "drift" and "sql"'],
    ],
  }).action((_options, command) =>
    session.read(command, async (context) => {
      const home = await context.home();
      const { verifySchema } = await import('@deespec/storage');
      const report = await verifySchema({ home });
      const hint = report.problem?.hint;
      return {
        data: report,
        text: () => renderSchemaVerification(report),
        ...(report.ok ? {} : { exitCode: 2 as const }),
        notes: hint === undefined ? [] : [`hint: ${hint}`],
      };
    }),
  );
}

function proveCommand(session: Session) {
  return defineCommand('prove', {
    summary: 'prove on a copy that the schema goes up, down and up again',
    description:
      'Take a copy of this database up to the newest version, down as far as nothing would be lost, and up again, and ' +
      'compare every row that must survive after each step. The database is only read.',
    examples: [
      ['deespec schema prove', 'before an upgrade that one may want to take back'],
      ['deespec schema prove --json', 'for a script: each step with its tables and rows'],
    ],
  }).action((_options, command) =>
    session.run(command, async (context) => {
      const home = await context.home();
      const { proveSchema } = await import('@deespec/storage');
      const proof = await proveSchema({ home, signal: context.signal });
      return { data: proof, text: () => renderSchemaProof(proof) };
    }),
  );
}
