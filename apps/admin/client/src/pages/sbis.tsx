import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { exportAddress, useSbis, type SbiQuery } from '../api/sbis.js';
import { Page } from '../components/page.js';
import { SaveButton } from '../components/save-button.js';
import { Empty, QueryState } from '../components/states.js';
import { Filters } from './sbis/filters.js';
import { Pager } from './sbis/pager.js';
import { SbiTable } from './sbis/sbi-table.js';

const route = getRouteApi('/sbis');

/** Pages that were shown before this one, so that one can go back to them; the address holds the present one alone. */
function usePages(cursor: string | undefined, go: (cursor: string | undefined) => void) {
  const [before, setBefore] = useState<readonly (string | undefined)[]>([]);
  return {
    hasPrevious: cursor !== undefined,
    next: (next: string) => {
      setBefore([...before, cursor]);
      go(next);
    },
    previous: () => {
      go(before.at(-1));
      setBefore(before.slice(0, -1));
    },
    reset: () => setBefore([]),
  };
}

/** The list of SBIs: filter, order and words to search for are in the address, so that it can be sent to somebody. */
export function SbisPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query: SbiQuery = { sort: 'updated', order: 'desc', ...search, limit: 50 };
  const sbis = useSbis(query);
  const go = useCallback(
    (cursor: string | undefined) =>
      void navigate({
        search: ({ cursor: _, ...rest }) => (cursor === undefined ? rest : { ...rest, cursor }),
      }),
    [navigate],
  );
  const pages = usePages(search.cursor, go);
  const change = useCallback(
    (changes: Partial<SbiQuery>) => {
      pages.reset();
      void navigate({ search: ({ cursor: _, ...rest }) => ({ ...rest, ...changes }), replace: true });
    },
    [navigate, pages],
  );
  const filtered = search.status !== undefined || search.label !== undefined || search.search !== undefined;
  return (
    <Page
      title="SBIs"
      lead="Backlog items. Keys: / to search, j and k for rows, Enter to open."
      actions={
        <>
          <SaveButton address={exportAddress(query, 'csv')} name="sbis.csv" label="Export CSV" />
          <SaveButton address={exportAddress(query, 'json')} name="sbis.json" label="Export JSON" />
        </>
      }
    >
      <Filters search={search} onChange={change} filtered={filtered} />
      <QueryState query={sbis} what="the list of SBIs">
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={filtered ? 'No SBI fits this filter' : 'There is no SBI'}>
              {filtered
                ? 'Every word must occur as a whole. Take a word or a filter away.'
                : '“deespec sbi create --title …” makes one; or the tree is another one than you think.'}
            </Empty>
          ) : (
            <>
              <SbiTable items={page.items} query={query} onSort={change} stale={sbis.isPlaceholderData} />
              <Pager
                shown={page.items.length}
                next={page.nextCursor}
                hasPrevious={pages.hasPrevious}
                onNext={pages.next}
                onPrevious={pages.previous}
              />
            </>
          )
        }
      </QueryState>
    </Page>
  );
}
