import type { Status } from '../../api/status.js';
import { Command } from '../../components/page.js';
import { Time } from '../../components/time.js';
import { Verdict } from '../../components/verdict.js';

function rehearsalWords(status: Status) {
  const { rehearsal } = status;
  if (rehearsal === undefined) return <>The way there and back was never rehearsed on this tree.</>;
  return (
    <>
      {rehearsal.ok ? 'The way there and back was rehearsed ' : 'The last rehearsal failed '}
      <Time value={rehearsal.at} show="age" />
      {rehearsal.ok && ', without a difference'}.
    </>
  );
}

/** The answer to "where is this tree, and can I go back?". */
export function Standing({ status, running }: { readonly status: Status; readonly running: boolean }) {
  if (running) return <Verdict tone="attention" title="A run is at work: its steps are below" />;
  if (status.run !== undefined) {
    const other = status.run.kind === 'cutover' ? 'roll back takes it back' : 'it has to be finished';
    return (
      <Verdict
        tone="bad"
        title={`A ${status.run.kind} was cut off after: ${status.run.done.join(', ') || 'nothing'}`}
      >
        <div>
          {`Start the ${status.run.kind} again and it goes on where it was; ${other}.`}{' '}
          <Command text={`deespec ${status.run.kind} --yes`} />
        </div>
      </Verdict>
    );
  }
  if (status.truth === 'sqlite') {
    return (
      <Verdict tone="good" title="Migrated: SQLite is the source of truth">
        <div>
          To undo it, roll back (below): everything that was written since goes into the files, both are
          compared byte for byte, then the files count again. {rehearsalWords(status)}
        </div>
        <div>
          <Command text="deespec rollback --yes" />
        </div>
      </Verdict>
    );
  }
  return (
    <Verdict
      tone="attention"
      title={
        status.database.state === 'absent'
          ? 'Not migrated: the files are the source of truth'
          : 'A database is there; the files are still the source of truth'
      }
    >
      <div>There is nothing to undo: reads and writes still go to the files. {rehearsalWords(status)}</div>
    </Verdict>
  );
}
