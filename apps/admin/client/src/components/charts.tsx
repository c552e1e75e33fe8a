import { BarChart } from '@mantine/charts';
import '@mantine/charts/styles.css';

/** One series of a chart: the key in the data, its name for people, its colour. */
export interface Series {
  readonly name: string;
  readonly label: string;
  readonly color: string;
}

interface BarsProps {
  readonly data: readonly Record<string, string | number>[];
  /** Key of the data that stands below each group of bars. */
  readonly by: string;
  readonly series: readonly Series[];
  readonly formatValue: (value: number) => string;
}

/** Bars; a module of its own, because the library is large and loaded only where a chart is seen. */
export function Bars({ data, by, series, formatValue }: BarsProps) {
  return (
    <BarChart
      h={190}
      data={[...data]}
      dataKey={by}
      series={[...series]}
      valueFormatter={formatValue}
      withLegend={series.length > 1}
      legendProps={{ verticalAlign: 'top', height: 28 }}
      tickLine="none"
      gridAxis="x"
      yAxisProps={{ width: 56 }}
      barProps={{ isAnimationActive: false }}
      tooltipAnimationDuration={0}
    />
  );
}
