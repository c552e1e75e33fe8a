// Apart from the other renderers so that the table library is loaded only by commands that print one.
import { getBorderCharacters, table } from 'table';
import { safeText } from './safe-text.js';

/** One column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  /** Longer texts are cut to this many characters; absent: never. */
  readonly maxLength?: number;
}

/** Rows as aligned columns under their titles, escaped; the titles alone when there are none. */
export function renderTable<T>(columns: readonly Column<T>[], rows: Iterable<T>): string {
  const cells = [columns.map(({ title }) => title)];
  for (const row of rows) cells.push(columns.map((column) => formatCell(column, row)));
  const text = table(cells, {
    border: getBorderCharacters('void'),
    columnDefault: { paddingLeft: 0, paddingRight: 2 },
    drawHorizontalLine: () => false,
  });
  return text.replace(/ +$/gmu, '');
}

function formatCell<T>(column: Column<T>, row: T): string {
  const characters = [...safeText(column.value(row))];
  const { maxLength = Infinity } = column;
  return characters.length <= maxLength
    ? characters.join('')
    : `${characters.slice(0, maxLength - 1).join('')}…`;
}
