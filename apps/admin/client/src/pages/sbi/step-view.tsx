import { Button, Select } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { fileAddress, useFileContent, type Execution } from '../../api/sbis.js';
import { DecisionMark } from '../../components/badges.js';
import { CopyButton } from '../../components/copy-button.js';
import { formatDuration, visibleText } from '../../components/format.js';
import { Facts } from '../../components/page.js';
import { Empty, Loading, QueryState } from '../../components/states.js';
import { Time } from '../../components/time.js';
import { durationOf, stepName } from '../../components/timeline-rows.js';
import { ContentView } from './content-view.js';
import { timelineStep } from './steps-view.js';

const StepDifference = lazy(() =>
  import('./step-difference.js').then((module) => ({ default: module.StepDifference })),
);

const route = getRouteApi('/sbis/$id');

/** "turn 3 of run 1, implement". */
export function stepLabel(execution: Execution): string {
  return `turn ${execution.turn} of run ${execution.run}, ${visibleText(execution.step, 40)}`;
}

interface StepViewProps {
  readonly id: string;
  readonly execution: Execution;
  readonly executions: readonly Execution[];
}

function CompareTools({ execution, executions }: Omit<StepViewProps, 'id'>) {
  const { compare } = route.useSearch();
  const navigate = route.useNavigate();
  const others = executions.filter(
    (other) => other.step === execution.step && other.fileId !== undefined && other !== execution,
  );
  const at = executions.indexOf(execution);
  const before = others.findLast((other) => executions.indexOf(other) < at);
  const choose = (name: string | undefined) =>
    void navigate({
      search: ({ compare: _, ...rest }) =>
        name === undefined ? rest : { ...rest, step: stepName(execution), compare: name },
      resetScroll: false,
    });
  if (others.length === 0 || execution.fileId === undefined) return null;
  return (
    <div className="text-tools">
      {compare === undefined && before !== undefined && (
        <Button variant="default" onClick={() => choose(stepName(before))}>
          {`What changed since turn ${before.turn}`}
        </Button>
      )}
      <Select
        aria-label="Compare with another turn of this step"
        placeholder="Compare with …"
        data={others.map((other) => ({ value: stepName(other), label: stepLabel(other) }))}
        value={compare ?? null}
        onChange={(name) => choose(name ?? undefined)}
        clearable
        clearButtonProps={{ 'aria-label': 'Do not compare' }}
        searchable={others.length > 12}
        w={250}
      />
    </div>
  );
}

function StepFacts({ execution }: { readonly execution: Execution }) {
  const duration = durationOf(timelineStep(execution));
  return (
    <Facts
      rows={[
        ['Decision', <DecisionMark key="decision" decision={execution.decision} />],
        ...(execution.error === undefined
          ? []
          : [
              [
                'Why',
                <span key="error" className="error-words">
                  {visibleText(execution.error, 2000)}
                </span>,
              ] as const,
            ]),
        ['Attempt', execution.attempt],
        ['Status after it', execution.status],
        ['Began', <Time key="began" value={execution.startedAt} />],
        ['Took', duration === undefined ? 'its end is not known' : formatDuration(duration)],
      ]}
    />
  );
}

/** One step: how it ended and why, its text, and the difference from another turn of the same step. */
export function StepView({ id, execution, executions }: StepViewProps) {
  const { compare } = route.useSearch();
  const other = executions.find((candidate) => stepName(candidate) === compare);
  const label = stepLabel(execution);
  return (
    <section aria-label={label} className="step-view">
      <div className="panel-head">
        <h2>{label}</h2>
        <CopyButton
          text={`${location.origin}/sbis/${id}?step=${encodeURIComponent(stepName(execution))}`}
          label="Copy link"
        />
      </div>
      <StepFacts execution={execution} />
      <CompareTools execution={execution} executions={executions} />
      {other !== undefined ? (
        <Suspense fallback={<Loading what="the difference" />}>
          <StepDifference id={id} older={other} newer={execution} />
        </Suspense>
      ) : (
        <StepText id={id} execution={execution} label={label} />
      )}
    </section>
  );
}

function StepText({ id, execution, label }: { id: string; execution: Execution; label: string }) {
  const content = useFileContent(id, execution.fileId);
  if (execution.fileId === undefined) {
    return (
      <Empty title="This step left no text">
        The journal has the line, but no file belongs to it: a pick has none, and a later run may have
        overwritten it.
      </Empty>
    );
  }
  return (
    <QueryState query={content} what="the text">
      {(data) => (
        <ContentView
          content={data}
          label={label}
          address={fileAddress(id, execution.fileId ?? '')}
          fileName={`${execution.step}_${execution.turn}.md`}
        />
      )}
    </QueryState>
  );
}
