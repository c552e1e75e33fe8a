import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { useActivity, type Activity } from '../../api/status.js';
import { ChartPanel } from '../../components/chart-panel.js';
import { formatCount, formatDuration } from '../../components/format.js';
import { QueryState } from '../../components/states.js';

const count = (value: number) => formatCount(Math.round(value));

function Charts({ activity }: { readonly activity: Activity }) {
  const { counts, days, steps } = activity;
  const done = days.reduce((sum, day) => sum + day.completed, 0);
  const executions = days.reduce((sum, day) => sum + day.executions, 0);
  return (
    <div className="panels">
      <ChartPanel
        title="SBIs by status"
        summary={counts.map((row) => `${row.status}: ${formatCount(row.count)}`).join(', ')}
        data={counts.map((row) => ({ status: row.status, count: row.count }))}
        by={{ key: 'status', label: 'Status' }}
        series={[{ name: 'count', label: 'SBIs', color: 'indigo.5' }]}
        formatValue={count}
        whenEmpty="There is no SBI. “deespec sbi create” makes one."
      />
      <ChartPanel
        title="Throughput by day (UTC)"
        summary={`${formatCount(done)} SBIs completed and ${formatCount(executions)} steps ended in ${days.length} days`}
        data={days.map((day) => ({ day: day.day, completed: day.completed, executions: day.executions }))}
        by={{ key: 'day', label: 'Day' }}
        series={[
          { name: 'executions', label: 'Steps ended', color: 'indigo.5' },
          { name: 'completed', label: 'SBIs completed', color: 'teal.6' },
        ]}
        formatValue={count}
        whenEmpty="Nothing ended in these days."
      />
      <ChartPanel
        title="How long steps take"
        summary={steps.map((row) => `${row.step}: median ${formatDuration(row.medianMs)}`).join(', ')}
        data={steps.map((row) => ({ step: row.step, median: row.medianMs, p95: row.p95Ms }))}
        by={{ key: 'step', label: 'Step' }}
        series={[
          { name: 'median', label: 'Median', color: 'indigo.5' },
          { name: 'p95', label: '95 of 100 are below', color: 'orange.6' },
        ]}
        formatValue={formatDuration}
        whenEmpty="No step ended in these days with a known duration."
      />
    </div>
  );
}

/** Counts, throughput and durations of the last days. */
export function ActivityPanels() {
  const [days, setDays] = useState('30');
  const activity = useActivity(Number(days));
  return (
    <section aria-label="Activity">
      <div className="panel-head">
        <h2>Activity</h2>
        <SegmentedControl
          size="xs"
          aria-label="Days"
          value={days}
          onChange={setDays}
          data={['7', '30', '90'].map((value) => ({ value, label: `${value} days` }))}
        />
      </div>
      <QueryState query={activity} what="the activity">
        {(data) => <Charts activity={data} />}
      </QueryState>
    </section>
  );
}
