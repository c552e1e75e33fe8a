import { Button } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useConflicts, type Conflict } from '../api/keeping.js';
import { formatBytes, formatCount, visibleText } from '../components/format.js';
import { Page } from '../components/page.js';
import { Empty, Loading, QueryState } from '../components/states.js';
import { Table, type Column } from '../components/table.js';
import { Time } from '../components/time.js';

const ConflictView = lazy(() =>
  import('./conflicts/conflict-view.js').then((module) => ({ default: module.ConflictView })),
);

const route = getRouteApi('/conflicts');

const columnsOf = (open: (id: string) => void, shown: string | undefined): readonly Column<Conflict>[] => [
  {
    name: 'Path',
    kind: 'words',
    cell: (conflict) => <span className="mono">{visibleText(conflict.path, 300)}</span>,
  },
  { name: 'Kept since', cell: (conflict) => <Time value={conflict.at} show="both" /> },
  {
    name: 'Kept version is of',
    cell: (conflict) => (conflict.store === 'files' ? 'the files' : 'the database'),
  },
  { name: 'Why', kind: 'words', cell: (conflict) => conflict.reason },
  { name: 'Size', kind: 'number', cell: (conflict) => formatBytes(conflict.sizeBytes) },
  {
    name: 'Open',
    cell: (conflict) => (
      <Button
        variant="default"
        size="compact-xs"
        aria-label={`${conflict.id === shown ? 'Shown below' : 'Compare'}: both versions of ${visibleText(conflict.path, 200)}`}
        disabled={conflict.id === shown}
        onClick={() => open(conflict.id)}
      >
        {conflict.id === shown ? 'Shown below' : 'Compare'}
      </Button>
    ),
  },
];

/** Versions that are kept because both stores changed one path differently; each is compared and one is chosen. */
export function ConflictsPage() {
  const conflicts = useConflicts();
  const { id } = route.useSearch();
  const navigate = route.useNavigate();
  const open = (chosen: string | undefined) =>
    void navigate({ search: chosen === undefined ? {} : { id: chosen }, resetScroll: false });
  return (
    <Page
      title="Conflicts"
      lead="Files and database changed one path differently. The version of the truth stands; the other one is kept until you choose."
    >
      <QueryState query={conflicts} what="the conflicts">
        {({ items, count }) => {
          const shown = items.some((conflict) => conflict.id === id) ? id : items[0]?.id;
          return items.length === 0 ? (
            <Empty title="No conflict">
              Nothing waits for you. Conflicts come up in sync, when both sides changed.
            </Empty>
          ) : (
            <>
              {count > items.length && (
                <p>{`The oldest ${formatCount(items.length)} of ${formatCount(count)}.`}</p>
              )}
              <Table
                label="Conflicts"
                columns={columnsOf(open, shown)}
                rows={items}
                rowKey={(conflict) => conflict.id}
              />
              {shown !== undefined && (
                <Suspense fallback={<Loading what="the conflict" />}>
                  <ConflictView key={shown} id={shown} onResolved={() => open(undefined)} />
                </Suspense>
              )}
            </>
          );
        }}
      </QueryState>
    </Page>
  );
}
