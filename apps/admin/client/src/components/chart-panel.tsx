import { SegmentedControl } from '@mantine/core';
import { useIntersection } from '@mantine/hooks';
import { lazy, Suspense, useEffect, useState } from 'react';
import type { Series } from './charts.js';
import { Panel } from './page.js';
import { Empty, Loading } from './states.js';
import { Table, type Column } from './table.js';

const Bars = lazy(() => import('./charts.js').then((module) => ({ default: module.Bars })));

type Datum = Record<string, string | number>;

interface ChartPanelProps {
  readonly title: string;
  /** One sentence that says what the chart shows: its name for those who do not see it. */
  readonly summary: string;
  readonly data: readonly Datum[];
  readonly by: { readonly key: string; readonly label: string };
  readonly series: readonly Series[];
  readonly formatValue: (value: number) => string;
  /** What to do when there are no data. */
  readonly whenEmpty: string;
}

function DataTable({ title, data, by, series, formatValue }: ChartPanelProps) {
  const columns: Column<Datum>[] = [
    { name: by.label, cell: (row) => row[by.key] },
    ...series.map(({ name, label }): Column<Datum> => ({
      name: label,
      kind: 'number',
      cell: (row) => formatValue(Number(row[name] ?? 0)),
    })),
  ];
  return <Table label={title} columns={columns} rows={data} rowKey={(row) => String(row[by.key])} />;
}

/** The chart, once its place was in view: the library is half as large as everything else together. */
function Chart({ summary, data, by, series, formatValue }: ChartPanelProps) {
  const { ref, entry } = useIntersection();
  const [seen, setSeen] = useState(false);
  const inView = entry?.isIntersecting === true;
  useEffect(() => {
    if (inView) setSeen(true);
  }, [inView]);
  return (
    <div role="img" aria-label={summary} className="chart" ref={ref}>
      {seen && (
        <Suspense fallback={<Loading what="the chart" />}>
          <Bars data={data} by={by.key} series={series} formatValue={formatValue} />
        </Suspense>
      )}
    </div>
  );
}

/** A chart, and the same numbers as a table for whoever wants to read them. */
export function ChartPanel(props: ChartPanelProps) {
  const { title, data } = props;
  const [view, setView] = useState('chart');
  const control = (
    <SegmentedControl
      size="xs"
      aria-label={`${title}: chart or table`}
      value={view}
      onChange={setView}
      data={[
        { value: 'chart', label: 'Chart' },
        { value: 'table', label: 'Table' },
      ]}
    />
  );
  return (
    <Panel title={title} actions={control}>
      {data.length === 0 && <Empty title="No data yet">{props.whenEmpty}</Empty>}
      {data.length > 0 && view === 'table' && <DataTable {...props} />}
      {data.length > 0 && view === 'chart' && <Chart {...props} />}
    </Panel>
  );
}
