import { formatBytes, formatCount, formatDuration, visibleText } from './format.js';
import { Time } from './time.js';
import { Table } from './table.js';

interface Line {
  readonly name: string;
  readonly key: string;
  readonly value: unknown;
}

const lineLimit = 400;

/** `differences.0.path`: every value of a report with the way to it; what is longer than 400 lines is cut. */
function linesOf(report: Record<string, unknown>): Line[] {
  const lines: Line[] = [];
  const pending: Line[] = Object.entries(report).map(([key, value]) => ({ name: key, key, value }));
  for (let line = pending.shift(); line !== undefined && lines.length < lineLimit; line = pending.shift()) {
    const { name, value } = line;
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      pending.unshift(
        ...Object.entries(value).map(([key, inner]) => ({
          name: `${name}.${key}`,
          key,
          value: inner as unknown,
        })),
      );
    } else lines.push(line);
  }
  return lines;
}

/** `sourceDigest` is "source digest". */
function wordsOf(name: string): string {
  return name.replace(
    /([a-z])([A-Z])/gu,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
}

const timeKey = /(?:^at|At|since|Since)$/u;

function Value({ line }: { readonly line: Line }) {
  const { key, value } = line;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') {
    if (/bytes$/iu.test(key)) return formatBytes(value);
    return /ms$/u.test(key) || /Ms$/u.test(key) ? formatDuration(value) : formatCount(value);
  }
  if (typeof value === 'string') {
    return timeKey.test(key) ? (
      <Time value={value} />
    ) : (
      <span className="mono">{visibleText(value, 500)}</span>
    );
  }
  return Array.isArray(value) || value === null || value === undefined ? 'none' : 'nothing';
}

/** What a use case reports, value by value. */
export function Report({
  label,
  report,
}: {
  readonly label: string;
  readonly report: Record<string, unknown>;
}) {
  return (
    <Table
      label={label}
      rows={linesOf(report)}
      rowKey={(line) => line.name}
      columns={[
        { name: 'What', cell: (line) => wordsOf(line.name) },
        { name: 'Value', kind: 'words', cell: (line) => <Value line={line} /> },
      ]}
    />
  );
}
