import { SegmentedControl } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useAudit, type AuditRow } from '../../api/audit.js';
import type { Execution } from '../../api/sbis.js';
import { DecisionMark } from '../../components/badges.js';
import { visibleText } from '../../components/format.js';
import { JsonPair } from '../../components/json-pair.js';
import { Empty, QueryState } from '../../components/states.js';
import { Table, type Column } from '../../components/table.js';
import { Time, useNow } from '../../components/time.js';
import { stepName } from '../../components/timeline-rows.js';

interface Change {
  readonly key: string;
  readonly at: string;
  readonly who: string;
  readonly what: ReactNode;
  readonly detail?: ReactNode;
}

const spans = { yesterday: 'Since yesterday', week: '7 days', all: 'All' } as const;
type Span = keyof typeof spans;

function sinceOf(span: Span, now: number): number {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (span === 'yesterday') return midnight - 86_400_000;
  return span === 'week' ? midnight - 7 * 86_400_000 : 0;
}

function stepChange(id: string, execution: Execution): Change {
  const name = stepName(execution);
  return {
    key: `step ${name}`,
    at: execution.completedAt ?? execution.startedAt,
    who: 'workflow',
    what: (
      <>
        <Link to="/sbis/$id" params={{ id }} search={{ step: name }}>
          {`${visibleText(execution.step, 40)}, run ${execution.run}, turn ${execution.turn}`}
        </Link>{' '}
        <DecisionMark decision={execution.decision} />
        {execution.error !== undefined && (
          <div className="error-words">{visibleText(execution.error, 300)}</div>
        )}
      </>
    ),
  };
}

function auditChange(row: AuditRow, index: number): Change {
  const hasValues = row.oldValue !== undefined || row.newValue !== undefined;
  return {
    key: `audit ${row.seq ?? row.source ?? ''} ${index}`,
    at: row.timestamp,
    who: row.user ?? 'unknown',
    what: visibleText(row.action, 100),
    ...(hasValues ? { detail: <JsonPair oldValue={row.oldValue} newValue={row.newValue} /> } : {}),
  };
}

const columns: readonly Column<Change>[] = [
  { name: 'When', cell: (change) => <Time value={change.at} show="both" /> },
  { name: 'Who', cell: (change) => visibleText(change.who, 60) },
  { name: 'What', kind: 'words', cell: (change) => change.what },
];

interface ChangesViewProps {
  readonly id: string;
  readonly executions: readonly Execution[];
}

/** What happened to an SBI, newest first: steps that ended and changes of the audit log with old and new values. */
export function ChangesView({ id, executions }: ChangesViewProps) {
  const [span, setSpan] = useState<Span>('yesterday');
  const since = sinceOf(span, useNow());
  const audit = useAudit({ entityId: id, limit: 200 });
  return (
    <>
      <SegmentedControl
        size="xs"
        mb="xs"
        aria-label="How far back"
        value={span}
        onChange={(value) => setSpan(value as Span)}
        data={Object.entries(spans).map(([value, label]) => ({ value, label }))}
      />
      <QueryState query={audit} what="the audit log">
        {(page) => {
          const changes = [
            ...executions.map((execution) => stepChange(id, execution)),
            ...page.items.map(auditChange),
          ]
            .filter((change) => Date.parse(change.at) >= since)
            .sort((a, b) => b.at.localeCompare(a.at))
            .slice(0, 300);
          return changes.length === 0 ? (
            <Empty title={span === 'all' ? 'Nothing is on record' : 'Nothing changed in this time'}>
              {span === 'all'
                ? 'No step ended and nobody changed it through the API.'
                : 'Choose a longer time.'}
            </Empty>
          ) : (
            <Table
              label="Changes"
              columns={columns}
              rows={changes}
              rowKey={(change) => change.key}
              detail={(change) => change.detail}
            />
          );
        }}
      </QueryState>
    </>
  );
}
