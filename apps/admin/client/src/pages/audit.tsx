import { Button, TextInput } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useAudit, type AuditRow } from '../api/audit.js';
import { visibleText } from '../components/format.js';
import { JsonPair } from '../components/json-pair.js';
import { Command, Page } from '../components/page.js';
import { Empty, QueryState } from '../components/states.js';
import { Table, type Column } from '../components/table.js';
import { Time } from '../components/time.js';

const route = getRouteApi('/audit');

const sbiId = /^SBI-[0-9A-Z]{26}$/u;

function Entity({ row }: { readonly row: AuditRow }) {
  const name = visibleText(row.entityId, 200);
  return (
    <>
      <span className="snippet">{`${visibleText(row.entityType, 40)} `}</span>
      {sbiId.test(row.entityId) ? (
        <Link to="/sbis/$id" params={{ id: row.entityId }} search={{ view: 'changes' }} className="mono">
          {name}
        </Link>
      ) : (
        <span className="mono">{name}</span>
      )}
    </>
  );
}

function Values({ row }: { readonly row: AuditRow }) {
  const [open, setOpen] = useState(false);
  if (row.oldValue === undefined && row.newValue === undefined)
    return <span className="snippet">no values</span>;
  return (
    <>
      <Button variant="default" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Hide' : 'Before and after'}
      </Button>
      {open && <JsonPair oldValue={row.oldValue} newValue={row.newValue} />}
    </>
  );
}

const columns: readonly Column<AuditRow>[] = [
  { name: 'When', cell: (row) => <Time value={row.timestamp} show="both" /> },
  { name: 'Who', cell: (row) => visibleText(row.user ?? 'unknown', 60) },
  { name: 'Did', kind: 'words', cell: (row) => visibleText(row.action, 120) },
  { name: 'To', kind: 'words', cell: (row) => <Entity row={row} /> },
  { name: 'Old and new', kind: 'words', cell: (row) => <Values row={row} /> },
  { name: 'Link of the chain', kind: 'number', cell: (row) => row.seq ?? 'journal' },
];

function Filters() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [entityId, setEntityId] = useState(search.entityId ?? '');
  const since = search.since?.slice(0, 10) ?? '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const id = entityId.trim();
    void navigate({ search: id === '' ? {} : { entityId: id } });
  };
  return (
    <form className="filters" onSubmit={submit}>
      <TextInput
        label="Of (id of an SBI, key of a setting, name of a run)"
        value={entityId}
        onChange={(event) => setEntityId(event.currentTarget.value)}
        className="filter-words"
        data-page-search
        maxLength={500}
      />
      <TextInput
        label="Since (UTC day)"
        type="date"
        value={since}
        onChange={(event) => {
          const day = event.currentTarget.value;
          void navigate({
            search: ({ since: _, cursor: __, ...rest }) =>
              day === '' ? rest : { ...rest, since: `${day}T00:00:00.000Z` },
          });
        }}
      />
      <Button type="submit" variant="default">
        Show
      </Button>
    </form>
  );
}

function Rows() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const audit = useAudit({ ...search, limit: 50 });
  const narrowed = search.entityId !== undefined || search.since !== undefined;
  const go = (cursor: number | undefined) =>
    void navigate({
      search: ({ cursor: _, ...rest }) => (cursor === undefined ? rest : { ...rest, cursor }),
    });
  return (
    <QueryState query={audit} what="the audit log">
      {(page) =>
        page.items.length === 0 ? (
          <Empty title={narrowed ? 'No change fits' : 'No change is on record'}>
            {narrowed
              ? 'Take a filter away.'
              : 'Changes through “deespec”, its API and this page appear here.'}
          </Empty>
        ) : (
          <>
            <Table
              label="Changes"
              columns={columns}
              rows={page.items}
              rowKey={(row) =>
                `${row.seq ?? ''} ${row.source ?? ''} ${row.timestamp} ${row.entityId} ${row.action}`
              }
            />
            <nav className="pager" aria-label="Pages of the audit log">
              <Button variant="default" disabled={search.cursor === undefined} onClick={() => go(undefined)}>
                Newest
              </Button>
              <Button
                variant="default"
                disabled={page.nextCursor === undefined}
                onClick={() => go(page.nextCursor)}
              >
                Older
              </Button>
            </nav>
          </>
        )
      }
    </QueryState>
  );
}

/** Every change: who, what, when, from which value to which; newest first. */
export function AuditPage() {
  return (
    <Page
      title="Audit"
      lead={
        <>
          Changes through the API, and transactions of the tree’s own journal. Each link of the chain hashes
          the one before; <Command text="deespec audit verify" /> proves that none was changed.
        </>
      }
    >
      <Filters />
      <Rows />
    </Page>
  );
}
