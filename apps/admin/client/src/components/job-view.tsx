import { Button, Progress } from '@mantine/core';
import { useCancelJob, useEndedJob, type Job } from '../api/jobs.js';
import { Mark, type Tone } from './badges.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import { Command, Panel } from './page.js';
import { Report } from './report.js';
import { Failure } from './states.js';
import { Time } from './time.js';

const tones: Readonly<Record<string, Tone>> = {
  running: 'busy',
  done: 'good',
  failed: 'bad',
  cancelled: 'attention',
  begun: 'busy',
  kept: 'good',
};

const stateWords: Readonly<Record<string, string>> = { begun: 'at work', kept: 'done before' };

function JobProgress({ job }: { readonly job: Job }) {
  const { progress } = job;
  if (progress === undefined) return <p>It has begun; the first numbers come in a moment.</p>;
  const { doneBytes, totalBytes, doneEntries, etaSeconds, phase } = progress;
  const share = totalBytes === undefined || totalBytes === 0 ? undefined : (doneBytes / totalBytes) * 100;
  const words = [
    `phase: ${phase}`,
    `${formatCount(doneEntries)} entries`,
    totalBytes === undefined
      ? formatBytes(doneBytes)
      : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    share === undefined ? undefined : `${Math.floor(share)} %`,
    etaSeconds === undefined
      ? 'time left: not known yet'
      : `${formatDuration(etaSeconds * 1000)} left in this phase`,
  ].filter((word) => word !== undefined);
  return (
    <div>
      <Progress
        value={share ?? 100}
        animated={share === undefined}
        transitionDuration={0}
        aria-label={`Progress of ${phase}`}
        mb={4}
      />
      <div className="snippet">{words.join(' · ')}</div>
    </div>
  );
}

function JobSteps({ job }: { readonly job: Job }) {
  if (job.steps.length === 0) return null;
  return (
    <ol className="steps">
      {job.steps.map((step) => (
        <li key={step.name}>
          <Mark tone={tones[step.state] ?? 'plain'}>{stateWords[step.state] ?? step.state}</Mark>
          <strong>{step.name}</strong>
          <span>{step.about}</span>
          {step.ms !== undefined && <span className="snippet">{formatDuration(step.ms)}</span>}
        </li>
      ))}
    </ol>
  );
}

function End({ job }: { readonly job: Job }) {
  const report = useEndedJob(job).data?.report ?? job.report;
  const span = job.endedAt === undefined ? undefined : Date.parse(job.endedAt) - Date.parse(job.startedAt);
  return (
    <>
      <p>
        {job.dryRun && 'Dry run: nothing was changed. '}
        Ended <Time value={job.endedAt} show="both" />
        {span !== undefined && ` after ${formatDuration(span)}`}.
      </p>
      {job.error !== undefined && <Failure error={job.error} what="It did not succeed" />}
      {report !== undefined && (
        <details open={job.state !== 'done'}>
          <summary>Report</summary>
          <Report label={`Report of ${job.kind}`} report={report} />
        </details>
      )}
    </>
  );
}

/** A long job while it runs and after it: steps, phase, counts, bytes, time left, report, and what to do when it failed. */
export function JobView({ job }: { readonly job: Job }) {
  const cancel = useCancelJob();
  const running = job.state === 'running';
  const title = `${job.dryRun ? 'Dry run of ' : ''}${job.kind}`;
  return (
    <Panel
      title={title}
      actions={
        <span className="text-tools">
          <Mark tone={tones[job.state] ?? 'plain'}>{job.stopping && running ? 'stopping' : job.state}</Mark>
          {running && (
            <Button
              variant="default"
              size="compact-xs"
              disabled={job.stopping}
              loading={cancel.isPending}
              onClick={() => cancel.mutate(job.id)}
            >
              Stop it
            </Button>
          )}
        </span>
      }
    >
      <p className="snippet">
        The same in a terminal: <Command text={job.command} />, begun <Time value={job.startedAt} />
      </p>
      <JobSteps job={job} />
      {running ? <JobProgress job={job} /> : <End job={job} />}
      {job.warnings.length > 0 && (
        <ul aria-label="Warnings">
          {job.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      {cancel.error !== null && <Failure error={cancel.error} what="It could not be asked to stop" />}
    </Panel>
  );
}
