import { useSchema } from '../api/keeping.js';
import type { Schemas } from '../api/client.js';
import { Mark } from '../components/badges.js';
import { formatDuration } from '../components/format.js';
import { Command, Page, Panel } from '../components/page.js';
import { Empty, QueryState } from '../components/states.js';
import { Table, type Column } from '../components/table.js';
import { Time } from '../components/time.js';
import { Verdict } from '../components/verdict.js';

type Script = Schemas['ScriptDto'];

const columns: readonly Column<Script>[] = [
  { name: 'Version', kind: 'number', cell: (script) => script.version },
  { name: 'Name', cell: (script) => script.name },
  {
    name: 'State',
    cell: (script) => <Mark tone={script.state === 'applied' ? 'good' : 'attention'}>{script.state}</Mark>,
  },
  { name: 'Applied', cell: (script) => <Time value={script.appliedAt} /> },
  {
    name: 'Took',
    cell: (script) => (script.durationMs === undefined ? '–' : formatDuration(script.durationMs)),
  },
  { name: 'Checksum', cell: (script) => <code className="mono">{script.checksum.slice(0, 16)}</code> },
];

function Standing({ schema }: { readonly schema: Schemas['SchemaDto'] }) {
  if (schema.problem !== undefined) {
    return (
      <Verdict tone="bad" title={schema.problem.message}>
        {schema.problem.hint !== undefined && <div>{schema.problem.hint}</div>}
        <code>{schema.problem.code}</code>
      </Verdict>
    );
  }
  if (schema.version === 0) {
    return (
      <Verdict tone="attention" title="There is no database yet">
        <div>A migration makes it, in the newest version of the schema.</div>
      </Verdict>
    );
  }
  if (schema.version < schema.newest) {
    return (
      <Verdict
        tone="attention"
        title={`The database has version ${schema.version}; this program works on ${schema.newest}`}
      >
        <div>
          <Command text="deespec schema up" /> brings it up, after a verified copy.
        </div>
      </Verdict>
    );
  }
  return (
    <Verdict
      tone="good"
      title={`The database has version ${schema.version}, the one that this program works on`}
    />
  );
}

/** Where the database stands among the versions of its schema, and whether anybody changed a script or the schema by hand. */
export function SchemaPage() {
  const schema = useSchema();
  return (
    <Page
      title="Schema"
      lead="Each version is a script that is never changed once it is released; checksums prove that."
    >
      <QueryState query={schema} what="the schema">
        {(data) => (
          <>
            <Standing schema={data} />
            <Table
              label="Versions"
              columns={columns}
              rows={data.scripts}
              rowKey={(script) => String(script.version)}
            />
            <Panel title="Copies from before changes">
              {data.copies.length === 0 ? (
                <Empty title="None">
                  A change of a database that is not empty keeps a verified copy first.
                </Empty>
              ) : (
                <ul>
                  {data.copies.map((copy) => (
                    <li key={copy} className="mono">
                      {copy}
                    </li>
                  ))}
                </ul>
              )}
            </Panel>
          </>
        )}
      </QueryState>
    </Page>
  );
}
