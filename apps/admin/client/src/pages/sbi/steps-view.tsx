import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Execution } from '../../api/sbis.js';
import { Empty, Loading } from '../../components/states.js';
import { stepName, type TimelineStep } from '../../components/timeline-rows.js';
import { Timeline } from '../../components/timeline.js';
import { StepView } from './step-view.js';

const route = getRouteApi('/sbis/$id');

/** An execution as the timeline shows it. */
export function timelineStep(execution: Execution): TimelineStep {
  return { ...execution, durationMs: execution.elapsedMs };
}

interface StepsViewProps {
  readonly id: string;
  readonly executions: readonly Execution[];
  /** False while more of them are on their way. */
  readonly isComplete: boolean;
}

/** The timeline with, beside it, the step that the address names; without one the last. */
export function StepsView({ id, executions, isComplete }: StepsViewProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const steps = useMemo(() => executions.map(timelineStep), [executions]);
  const selected =
    executions.find((execution) => stepName(execution) === search.step) ??
    (isComplete ? executions.at(-1) : undefined);
  const selectedName = selected === undefined ? undefined : stepName(selected);
  return (
    <div className="split">
      <Timeline
        steps={steps}
        selected={selectedName}
        onSelect={(step) =>
          void navigate({
            search: ({ compare: _, ...rest }) => ({ ...rest, step }),
            hash: '',
            resetScroll: false,
          })
        }
        failedOnly={search.failed === true}
        onFailedOnly={(failed) =>
          void navigate({
            search: ({ failed: _, ...rest }) => (failed ? { ...rest, failed } : rest),
            replace: true,
            resetScroll: false,
          })
        }
      />
      {selected === undefined && !isComplete && <Loading what="the last steps" />}
      {selected === undefined && isComplete && (
        <Empty title="Nothing to show">An SBI gets steps when the workflow tool takes it into work.</Empty>
      )}
      {selected !== undefined && (
        <StepView key={selectedName} id={id} execution={selected} executions={executions} />
      )}
    </div>
  );
}
