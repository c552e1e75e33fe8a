import type { ReactNode } from 'react';

/** One column of a table: its heading and what it shows of a row. */
export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
  readonly kind?: 'number' | 'words' | 'plain';
}

interface TableProps<Row> {
  /** Says what the table holds, for those who do not see where it stands. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** More of a row, below it and as wide as the table. */
  readonly detail?: (row: Row) => ReactNode;
}

const classOf = (kind: string | undefined) =>
  kind === 'number' ? 'number' : kind === 'words' ? 'table-words' : undefined;

/** A plain table with headings; it scrolls on its own where it is wider than the page. */
export function Table<Row>({ label, columns, rows, rowKey, detail }: TableProps<Row>) {
  return (
    <div className="table-frame" tabIndex={0} role="group" aria-label={`${label}, table`}>
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={classOf(column.kind)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Rows key={rowKey(row)} row={row} columns={columns} detail={detail?.(row)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rows<Row>({
  row,
  columns,
  detail,
}: {
  row: Row;
  columns: readonly Column<Row>[];
  detail: ReactNode;
}) {
  return (
    <>
      <tr>
        {columns.map((column) => (
          <td key={column.name} className={classOf(column.kind)}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
      {detail !== undefined && detail !== null && detail !== false && (
        <tr>
          <td colSpan={columns.length}>{detail}</td>
        </tr>
      )}
    </>
  );
}
