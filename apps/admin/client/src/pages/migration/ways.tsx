import { Button, Switch } from '@mantine/core';
import { useState } from 'react';
import { useStartJob, type Job, type JobRequest } from '../../api/jobs.js';
import { useKnownSession } from '../../api/session.js';
import type { Status } from '../../api/status.js';
import { Command, Panel } from '../../components/page.js';
import { Failure } from '../../components/states.js';
import { TypedConfirmation } from '../../components/typed-confirmation.js';
import { waysOf, type Way } from './way-list.js';

interface WaysProps {
  readonly status: Status;
  /** True while a run is at work: only one at a time. */
  readonly busy: boolean;
  readonly onStarted: (job: Job) => void;
}

/** Starts a way with its switch, and says when it was begun. */
function useWay(way: Way, onStarted: (job: Job) => void) {
  const start = useStartJob();
  const [option, setOption] = useState(way.option?.name === 'checkAll');
  const [asking, setAsking] = useState(false);
  const run = (more: Partial<JobRequest>) => {
    const chosen = way.option !== undefined && option ? { [way.option.name]: true } : {};
    start.mutate(
      { kind: way.kind, ...chosen, ...more },
      {
        onSuccess: (job) => {
          setAsking(false);
          onStarted(job);
          scrollTo({ top: 0 });
        },
      },
    );
  };
  return { start, option, setOption, asking, setAsking, run };
}

interface ButtonsProps {
  readonly way: Way;
  readonly disabled: boolean;
  readonly onDryRun: () => void;
  readonly onRun: () => void;
}

function Buttons({ way, disabled, onDryRun, onRun }: ButtonsProps) {
  return (
    <div className="text-tools">
      {way.dryRun && (
        <Button
          variant="default"
          disabled={disabled}
          aria-label={`Dry run: ${way.action}`}
          onClick={onDryRun}
        >
          Dry run
        </Button>
      )}
      <Button disabled={disabled} variant={way.confirmed ? 'filled' : 'default'} onClick={onRun}>
        {way.confirmed ? `${way.action} …` : way.action}
      </Button>
      <Command text={way.command} />
    </div>
  );
}

const readOnlyWords = 'This page is read-only: start “deespec admin” without --read-only.';

function WayCard({ way, busy, onStarted }: { way: Way } & Pick<WaysProps, 'busy' | 'onStarted'>) {
  const session = useKnownSession();
  const { start, option, setOption, asking, setAsking, run } = useWay(way, onStarted);
  const refused = session.readOnly ? readOnlyWords : way.refused;
  const disabled = refused !== undefined || busy || start.isPending;
  return (
    <Panel title={way.title}>
      <p>{way.about}</p>
      {way.option !== undefined && (
        <Switch
          label={way.option.label}
          checked={option}
          disabled={disabled}
          onChange={(event) => setOption(event.currentTarget.checked)}
          mb="xs"
        />
      )}
      <Buttons
        way={way}
        disabled={disabled}
        onDryRun={() => run({ dryRun: true })}
        onRun={() => (way.confirmed ? setAsking(true) : run({}))}
      />
      {refused !== undefined && <p className="snippet">{refused}</p>}
      {start.error !== null && !asking && <Failure error={start.error} what={`${way.action} was refused`} />}
      <TypedConfirmation
        opened={asking}
        title={way.title.replace(/^\d\. /u, '')}
        word={session.project}
        action={way.action}
        busy={start.isPending}
        error={start.error}
        onConfirm={() => run({ confirm: session.project })}
        onClose={() => setAsking(false)}
      >
        <p>{way.about}</p>
      </TypedConfirmation>
    </Panel>
  );
}

/** What can be done, in the order in which one does it; the way back stands beside the way there. */
export function Ways({ status, busy, onStarted }: WaysProps) {
  return (
    <div className="panels">
      {waysOf(status).map((way) => (
        <WayCard key={way.kind} way={way} busy={busy} onStarted={onStarted} />
      ))}
    </div>
  );
}
