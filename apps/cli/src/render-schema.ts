import type {
  SchemaChangeReport,
  SchemaPlan,
  SchemaProof,
  SchemaStatus,
  SchemaVerification,
} from '@deespec/storage';
import { formatCount, formatNumberOf, localTime, renderFields, renderList } from './render.js';

type Script = SchemaStatus['scripts'][number];

/** Every version with its state. */
export async function renderSchemaStatus(status: SchemaStatus): Promise<string> {
  const { renderTable } = await import('./render-table.js');
  const table = renderTable<Script>(
    [
      { title: 'VERSION', value: ({ version }) => String(version) },
      { title: 'NAME', value: ({ name }) => name, maxLength: 40 },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'APPLIED', value: ({ appliedAt }) => (appliedAt === undefined ? '' : localTime(appliedAt)) },
      { title: 'TOOK', value: ({ durationMs }) => (durationMs === undefined ? '' : `${durationMs} ms`) },
      { title: 'CHECKSUM', value: ({ checksum }) => checksum.slice(0, 12) },
    ],
    status.scripts,
  );
  const { database, version, newest, needs, problem, backups } = status;
  const fields = renderFields([
    ['database', database],
    ['version', version === 0 ? noVersion(problem) : `${version} of ${newest}`],
    ['needs', needs === undefined ? '' : `schema ${needs.reader} to read, ${needs.writer} to write`],
    ['backups', backups.length === 0 ? '' : `${formatCount(backups.length)}, the last one ${backups.at(-1)}`],
    ['problem', problem === undefined ? '' : `${problem.message} (${problem.code})`],
  ]);
  return `${table}\n${fields}`;
}

function noVersion(problem: SchemaStatus['problem']): string {
  return problem === undefined ? 'none: there is no database yet' : 'unknown: its records are not to be read';
}

/** The SQL of a change, each script below its name. */
export function renderSchemaSql({ scripts, direction }: SchemaPlan): string {
  if (scripts.length === 0) return '-- nothing to do\n';
  return scripts
    .map(
      ({ version, name, sql }) =>
        `-- ${String(version).padStart(3, '0')}_${name}.${direction}.sql\n${sql.trim()}\n`,
    )
    .join('\n');
}

/** What is about to be taken back, before it is confirmed. */
export function renderDown({ database, from, to, drops }: SchemaPlan): string {
  return [
    renderFields([
      ['database', database],
      ['schema', `version ${from}, back to version ${to}`],
    ]),
    renderList('no longer there afterwards:', drops),
    'A verified copy of the database is kept. This version of the program does not work on version ',
    `${to} until "deespec schema up".\n`,
  ].join('');
}

/** What a change of schema did. */
export function renderSchemaChange(report: SchemaChangeReport): string {
  const { from, to, dryRun, applied, database, backup, proven, drops, durationMs } = report;
  if (from === to) return `the schema stays at version ${to}: there is nothing to do\n`;
  const did = dryRun ? 'dry run: the schema would go' : 'the schema went';
  return [
    `${did} from version ${from} to version ${to} (${(durationMs / 1000).toFixed(1)} s)\n`,
    renderFields([
      ['database', database],
      ['scripts', applied.join(', ')],
      [
        'backup',
        backup === undefined ? '' : `${backup.path}, ${formatNumberOf(backup.bytes, 'byte')}, verified`,
      ],
      ['proven', `${formatNumberOf(proven.rows, 'row')} of ${proven.tables} tables kept, on a copy`],
    ]),
    renderList('no longer there:', drops),
  ].join('');
}

/** What is wrong with a schema, and SQL that would mend it. */
export function renderSchemaVerification(report: SchemaVerification): string {
  const { ok, version, newest, scripts, drift, sql, problem } = report;
  const wrong = scripts.filter(({ state }) => !['applied', 'pending'].includes(state));
  const old = version < newest ? `; this program works on version ${newest}` : '';
  return [
    ok ? `the schema is what the scripts of version ${version} make${old}\n` : '',
    problem === undefined || ok ? '' : `${problem.message} (${problem.code})\n`,
    renderList(
      'scripts:',
      wrong.map(({ version: number, name, state }) => `${number} ${name}: ${state}`),
    ),
    renderList('drift:', drift),
    sql.length === 0 ? '' : `SQL that would take it away; read it before you run it:\n${sql.join('\n')}\n`,
  ].join('');
}

/** What was proven on a copy. */
export async function renderSchemaProof({ steps, kept, database, durationMs }: SchemaProof): Promise<string> {
  const { renderTable } = await import('./render-table.js');
  const table = renderTable<SchemaProof['steps'][number]>(
    [
      { title: 'STEP', value: ({ direction }) => direction },
      { title: 'FROM', value: ({ from }) => String(from) },
      { title: 'TO', value: ({ to }) => String(to) },
      { title: 'TABLES', value: ({ tables }) => formatCount(tables) },
      { title: 'ROWS', value: ({ rows }) => formatCount(rows) },
      { title: 'TOOK', value: (step) => `${step.durationMs} ms` },
    ],
    steps,
  );
  return [
    `every step keeps every value that it must (${(durationMs / 1000).toFixed(1)} s, on a copy)\n`,
    table,
    renderFields([
      ['database', database],
      ['not below', kept === undefined ? '' : `version ${kept.version}: ${kept.message}`],
    ]),
  ].join('');
}
