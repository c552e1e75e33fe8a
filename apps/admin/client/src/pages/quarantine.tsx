import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useStartJob } from '../api/jobs.js';
import {
  quarantinedAddress,
  useQuarantine,
  useQuarantined,
  useQuarantinedContent,
  type Quarantined,
} from '../api/keeping.js';
import { useKnownSession } from '../api/session.js';
import { formatBytes, visibleText } from '../components/format.js';
import { Command, Facts, Page } from '../components/page.js';
import { Empty, Failure, QueryState } from '../components/states.js';
import { Table, type Column } from '../components/table.js';
import { ContentView } from './sbi/content-view.js';

function Content({ entry }: { readonly entry: Quarantined }) {
  const content = useQuarantinedContent(entry.id);
  const name = entry.path.split('/').at(-1) ?? 'entry';
  return (
    <QueryState query={content} what="the bytes">
      {(data) => (
        <ContentView
          content={data}
          label={visibleText(entry.path, 200)}
          address={quarantinedAddress(entry.id)}
          fileName={name}
        />
      )}
    </QueryState>
  );
}

function Detail({ entry }: { readonly entry: Quarantined }) {
  const detail = useQuarantined(entry.id);
  return (
    <QueryState query={detail} what="the entry">
      {({ rules }) => (
        <>
          {rules.map((rule) => (
            <Facts
              key={rule.rule}
              rows={[
                ['Rule', <code key="rule">{rule.rule}</code>],
                ['Why it matters', rule.why],
                ['What to do', rule.fix],
              ]}
            />
          ))}
          {entry.kind === 'file' && <Content entry={entry} />}
        </>
      )}
    </QueryState>
  );
}

function Retry() {
  const session = useKnownSession();
  const start = useStartJob();
  return (
    <>
      <div className="text-tools">
        <Button
          variant="default"
          disabled={session.readOnly}
          loading={start.isPending}
          onClick={() => start.mutate({ kind: 'quarantine-retry' })}
        >
          Look at all of them again
        </Button>
        <Command text="deespec quarantine retry" />
        {start.data !== undefined && <Link to="/migration">Begun; watch it</Link>}
      </div>
      {start.error !== null && <Failure error={start.error} what="It was not begun" />}
    </>
  );
}

function columnsOf(
  open: string | undefined,
  setOpen: (id: string | undefined) => void,
): readonly Column<Quarantined>[] {
  return [
    {
      name: 'Path',
      kind: 'words',
      cell: (entry) => <span className="mono">{visibleText(entry.path, 300)}</span>,
    },
    { name: 'Why', kind: 'words', cell: (entry) => visibleText(entry.reason, 300) },
    { name: 'Rule', cell: (entry) => (entry.rule === undefined ? '–' : <code>{entry.rule}</code>) },
    { name: 'Size', kind: 'number', cell: (entry) => formatBytes(entry.sizeBytes) },
    {
      name: 'Open',
      cell: (entry) => (
        <Button
          variant="default"
          size="compact-xs"
          aria-expanded={open === entry.id}
          aria-label={`${open === entry.id ? 'Hide' : 'Show'} ${visibleText(entry.path, 200)}`}
          onClick={() => setOpen(open === entry.id ? undefined : entry.id)}
        >
          {open === entry.id ? 'Hide' : 'Show'}
        </Button>
      ),
    },
  ];
}

/** What is kept byte for byte without being interpreted: why, and what to do. */
export function QuarantinePage() {
  const [cursor, setCursor] = useState<string>();
  const [open, setOpen] = useState<string>();
  const quarantine = useQuarantine(cursor);
  const columns = columnsOf(open, setOpen);
  return (
    <Page
      title="Quarantine"
      lead="Kept byte for byte and exported like everything else, but not interpreted: no list and no search shows what is in it."
    >
      <QueryState query={quarantine} what="the quarantine">
        {({ items, nextCursor }) =>
          items.length === 0 ? (
            <Empty title="Nothing is in quarantine">Every entry of the database is interpreted.</Empty>
          ) : (
            <>
              <Retry />
              <Table
                label="Quarantine"
                columns={columns}
                rows={items}
                rowKey={(entry) => entry.id}
                detail={(entry) => (open === entry.id ? <Detail entry={entry} /> : undefined)}
              />
              <nav className="pager" aria-label="Pages of the quarantine">
                <Button
                  variant="default"
                  disabled={cursor === undefined}
                  onClick={() => setCursor(undefined)}
                >
                  First page
                </Button>
                <Button
                  variant="default"
                  disabled={nextCursor === undefined}
                  onClick={() => setCursor(nextCursor)}
                >
                  Next page
                </Button>
              </nav>
            </>
          )
        }
      </QueryState>
    </Page>
  );
}
