import { Button, SegmentedControl } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useFailures, type FailedStep } from '../../api/failures.js';
import { DecisionMark } from '../../components/badges.js';
import { visibleText } from '../../components/format.js';
import { Panel } from '../../components/page.js';
import { Empty, QueryState } from '../../components/states.js';
import { Table, type Column } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { stepName } from '../../components/timeline-rows.js';

const spans = { today: 'Today', week: '7 days' } as const;
type Span = keyof typeof spans;

function sinceOf(span: Span): number {
  const midnight = new Date().setHours(0, 0, 0, 0);
  return span === 'today' ? midnight : midnight - 6 * 86_400_000;
}

const columns: readonly Column<FailedStep>[] = [
  {
    name: 'When',
    cell: ({ execution }) => <Time value={execution.completedAt ?? execution.startedAt} show="both" />,
  },
  {
    name: 'SBI and step',
    kind: 'words',
    cell: ({ sbi, execution }) => (
      <>
        <Link
          to="/sbis/$id"
          params={{ id: sbi.id }}
          search={{ step: stepName(execution) }}
          className="row-link"
        >
          {visibleText(sbi.title === '' ? sbi.id : sbi.title, 120)}
        </Link>
        <div className="snippet">
          {`${visibleText(execution.step, 40)}, run ${execution.run}, turn ${execution.turn}`}
        </div>
      </>
    ),
  },
  { name: 'Decision', cell: ({ execution }) => <DecisionMark decision={execution.decision} /> },
  {
    name: 'Why',
    kind: 'words',
    cell: ({ execution }) =>
      execution.error === undefined ? (
        <span className="snippet">the journal says no reason; open the step and read its text</span>
      ) : (
        <span className="error-words">{visibleText(execution.error, 300)}</span>
      ),
  },
];

/** Which SBIs failed today and why. */
export function FailuresPanel() {
  const [span, setSpan] = useState<Span>('today');
  const failures = useFailures(sinceOf(span));
  const control = (
    <SegmentedControl
      size="xs"
      aria-label="Failed since"
      value={span}
      onChange={(value) => setSpan(value as Span)}
      data={Object.entries(spans).map(([value, label]) => ({ value, label }))}
    />
  );
  return (
    <Panel title={span === 'today' ? 'Failed today, and why' : 'Failed in 7 days, and why'} actions={control}>
      <QueryState query={failures} what="what failed">
        {({ pages }) => {
          const steps = pages.flatMap(({ items }) => items);
          if (steps.length === 0) return <Empty title="Nothing failed">No step failed in this time.</Empty>;
          return (
            <Table
              label="Failed steps"
              columns={columns}
              rows={steps}
              rowKey={({ execution }) => `${execution.sbiId} ${stepName(execution)}`}
            />
          );
        }}
      </QueryState>
      {failures.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          loading={failures.isFetchingNextPage}
          onClick={() => void failures.fetchNextPage()}
        >
          Show earlier failures
        </Button>
      )}
    </Panel>
  );
}
