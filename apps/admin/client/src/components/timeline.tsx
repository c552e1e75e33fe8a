import { Switch, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { DecisionMark } from './badges.js';
import { formatCount, formatDuration, visibleText } from './format.js';
import { Empty } from './states.js';
import { Time } from './time.js';
import {
  durationOf,
  hasFailed,
  stepName,
  timelineRows,
  type TimelineRow,
  type TimelineStep,
} from './timeline-rows.js';

interface TimelineProps {
  readonly steps: readonly TimelineStep[];
  /** Name of the step that is shown beside the timeline. */
  readonly selected: string | undefined;
  readonly onSelect: (name: string) => void;
  readonly failedOnly: boolean;
  readonly onFailedOnly: (failedOnly: boolean) => void;
}

function keyOf(row: TimelineRow): string {
  if (row.kind === 'run') return `run ${row.run}`;
  return row.kind === 'gap' ? `gap ${row.after} ${row.run}` : `step ${stepName(row.step)}`;
}

function StepRow({
  row,
  selected,
  onSelect,
}: { row: TimelineRow & { kind: 'step' } } & Pick<TimelineProps, 'selected' | 'onSelect'>) {
  const { step, share } = row;
  const name = stepName(step);
  const duration = durationOf(step);
  return (
    <button
      type="button"
      className={`step-row${hasFailed(step) ? ' step-failed' : ''}`}
      aria-current={name === selected ? 'true' : undefined}
      onClick={() => onSelect(name)}
      data-step={name}
    >
      <span className="step-turn">{`turn ${step.turn}`}</span>
      <span className="step-name">
        {visibleText(step.step, 40)}
        {step.attempt > 1 && <span className="step-attempt">{`attempt ${step.attempt}`}</span>}
      </span>
      <span className="step-decision">
        <DecisionMark decision={step.decision} />
      </span>
      <span className="step-bar" aria-hidden="true">
        <span className="step-bar-fill" style={{ width: `${Math.max(1, share * 100)}%` }} />
      </span>
      <span className="step-duration">{duration === undefined ? 'no end' : formatDuration(duration)}</span>
      <span className="step-time">
        <Time value={step.startedAt} />
      </span>
      {(step.error ?? '') !== '' && <span className="step-error">{visibleText(step.error ?? '', 200)}</span>}
    </button>
  );
}

function Row({
  row,
  selected,
  onSelect,
}: { row: TimelineRow } & Pick<TimelineProps, 'selected' | 'onSelect'>) {
  if (row.kind === 'step') return <StepRow row={row} selected={selected} onSelect={onSelect} />;
  if (row.kind === 'gap') {
    return <div className="gap-row">{`nothing for ${formatDuration(row.lengthMs)}`}</div>;
  }
  return (
    <div className="run-row">
      <strong>{`Run ${row.run}`}</strong>
      <span>
        {`${formatCount(row.steps)} ${row.steps === 1 ? 'step' : 'steps'}`}
        {row.failed > 0 && `, ${formatCount(row.failed)} failed`}
      </span>
      <Time value={row.startedAt} />
    </div>
  );
}

/** Arrow keys go from step to step; the list scrolls along. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const direction = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (direction === 0) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-step]')];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const next = buttons[at + direction];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function VirtualRows({
  rows,
  selected,
  onSelect,
}: { rows: readonly TimelineRow[] } & Pick<TimelineProps, 'selected' | 'onSelect'>) {
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => 30,
    getItemKey: (index) => keyOf(rows[index] as TimelineRow),
    overscan: 12,
  });
  const shownAt = rows.findIndex((row) => row.kind === 'step' && stepName(row.step) === selected);
  useEffect(() => {
    if (shownAt >= 0) virtual.scrollToIndex(shownAt, { align: 'auto' });
  }, [shownAt, virtual]);
  return (
    <div
      ref={frame}
      className="timeline-frame"
      onKeyDown={moveFocus}
      role="group"
      aria-label="Steps"
      style={{ height: `min(70vh, ${virtual.getTotalSize() + 2}px)` }}
    >
      <ol className="timeline-list" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => (
          <li
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            className="timeline-item"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <Row row={rows[item.index] as TimelineRow} selected={selected} onSelect={onSelect} />
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Every run, turn and step of one SBI, oldest first; only the rows in view exist, so that thousands scroll. */
export function Timeline(props: TimelineProps) {
  const { steps, failedOnly } = props;
  const rows = useMemo(() => timelineRows(steps, failedOnly), [steps, failedOnly]);
  const failed = useMemo(() => steps.filter(hasFailed).length, [steps]);
  return (
    <section aria-label="Timeline" className="timeline">
      <div className="timeline-tools">
        <Switch
          label={`Failed only (${formatCount(failed)})`}
          checked={failedOnly}
          onChange={(event) => props.onFailedOnly(event.currentTarget.checked)}
        />
        <Text
          size="xs"
          c="dimmed"
        >{`${formatCount(steps.length)} ${steps.length === 1 ? 'step' : 'steps'}`}</Text>
      </div>
      {rows.length === 0 ? (
        <Empty title={failedOnly ? 'No step failed' : 'No step yet'}>
          {failedOnly
            ? 'Switch “Failed only” off to see all of them.'
            : 'The item was not taken into work, or its journal lines name another one.'}
        </Empty>
      ) : (
        <VirtualRows rows={rows} selected={props.selected} onSelect={props.onSelect} />
      )}
    </section>
  );
}
