import { Link } from '@tanstack/react-router';
import {
  createColumnHelper,
  flexRender,
  getCoreRowModel,
  useReactTable,
  type Header,
  type SortingState,
} from '@tanstack/react-table';
import { useEffect, useMemo, useRef } from 'react';
import type { Sbi, SbiQuery } from '../../api/sbis.js';
import { StatusMark } from '../../components/badges.js';
import { visibleText } from '../../components/format.js';
import { Time } from '../../components/time.js';

const column = createColumnHelper<Sbi>();

function Words({ sbi }: { readonly sbi: Sbi }) {
  return (
    <>
      <Link to="/sbis/$id" params={{ id: sbi.id }} data-row className="row-link">
        {sbi.title === '' ? sbi.id : visibleText(sbi.title, 160)}
      </Link>
      <div className="snippet mono">{sbi.title === '' ? 'no title' : sbi.id}</div>
      {sbi.snippet !== undefined && sbi.snippet.length > 0 && (
        <div className="snippet">
          {sbi.snippet.map(({ text, match }, index) =>
            match ? (
              <mark key={index}>{visibleText(text)}</mark>
            ) : (
              <span key={index}>{visibleText(text)}</span>
            ),
          )}
        </div>
      )}
    </>
  );
}

const columns = [
  column.accessor('title', {
    id: 'id',
    header: 'SBI',
    enableSorting: false,
    cell: ({ row }) => <Words sbi={row.original} />,
  }),
  column.accessor('status', { header: 'Status', cell: ({ getValue }) => <StatusMark status={getValue()} /> }),
  column.accessor('priority', { header: 'Priority' }),
  column.accessor('labels', {
    header: 'Labels',
    enableSorting: false,
    cell: ({ getValue }) => visibleText(getValue().join(', '), 120),
  }),
  column.accessor('updatedAt', {
    id: 'updated',
    header: 'Changed',
    cell: ({ getValue }) => <Time value={getValue()} />,
  }),
  column.accessor('createdAt', {
    id: 'created',
    header: 'Created',
    cell: ({ getValue }) => <Time value={getValue()} />,
  }),
];

/** `j` and `k` go from row to row; Enter then follows the link that has the focus. */
function useRowKeys() {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const move = (event: KeyboardEvent) => {
      const direction = event.key === 'j' ? 1 : event.key === 'k' ? -1 : 0;
      const target = event.target as HTMLElement;
      if (direction === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, textarea, select, [role="dialog"]') !== null) return;
      const rows = [...(frame.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
      const at = rows.indexOf(document.activeElement as HTMLElement);
      const next = at < 0 ? 0 : Math.min(Math.max(at + direction, 0), rows.length - 1);
      rows[next]?.focus();
    };
    addEventListener('keydown', move);
    return () => removeEventListener('keydown', move);
  }, []);
  return frame;
}

const sortWords = { asc: 'ascending', desc: 'descending' } as const;

function HeadCell({ header, number }: { readonly header: Header<Sbi, unknown>; readonly number: boolean }) {
  const sorted = header.column.getIsSorted();
  const words = flexRender(header.column.columnDef.header, header.getContext());
  return (
    <th
      scope="col"
      className={number ? 'number' : undefined}
      aria-sort={sorted === false ? undefined : sortWords[sorted]}
    >
      {header.column.getCanSort() ? (
        <button type="button" className="sort" onClick={header.column.getToggleSortingHandler()}>
          {words} <span aria-hidden="true">{sorted === 'asc' ? '▲' : sorted === 'desc' ? '▼' : '↕'}</span>
        </button>
      ) : (
        words
      )}
    </th>
  );
}

interface SbiTableProps {
  readonly items: readonly Sbi[];
  readonly query: SbiQuery;
  readonly onSort: (changes: Partial<SbiQuery>) => void;
  /** True while these rows belong to the query before and the next ones are on their way. */
  readonly stale: boolean;
}

/** The rows of a page. The order is made by the server; a click on a heading asks it for another one. */
export function SbiTable({ items, query, onSort, stale }: SbiTableProps) {
  const frame = useRowKeys();
  const data = useMemo(() => [...items], [items]);
  const sorting: SortingState = [{ id: query.sort ?? 'created', desc: query.order === 'desc' }];
  const table = useReactTable({
    data,
    columns,
    state: { sorting },
    manualSorting: true,
    enableSortingRemoval: false,
    getCoreRowModel: getCoreRowModel(),
    getRowId: (sbi) => sbi.id,
    onSortingChange: (change) => {
      const [first] = typeof change === 'function' ? change(sorting) : change;
      if (first === undefined) return;
      onSort({ sort: first.id as NonNullable<SbiQuery['sort']>, order: first.desc ? 'desc' : 'asc' });
    },
  });
  return (
    <div className="table-frame" ref={frame} tabIndex={0} role="group" aria-label="SBIs, table">
      <table className="table" aria-label="SBIs" aria-busy={stale}>
        <thead>
          <tr>
            {table.getFlatHeaders().map((header) => (
              <HeadCell key={header.id} header={header} number={header.id === 'priority'} />
            ))}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id}>
              {row.getVisibleCells().map((cell) => (
                <td
                  key={cell.id}
                  className={
                    cell.column.id === 'priority'
                      ? 'number'
                      : cell.column.id === 'id'
                        ? 'table-words'
                        : undefined
                  }
                >
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
