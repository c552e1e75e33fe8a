import { Button, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useJobs, useStartJob } from '../api/jobs.js';
import { useBackups, type Backup } from '../api/keeping.js';
import { useKnownSession } from '../api/session.js';
import { JobView } from '../components/job-view.js';
import { Command, Page, Panel } from '../components/page.js';
import { Empty, Failure, QueryState } from '../components/states.js';
import { BackupTable } from './backups/backup-table.js';
import { RestoreDialog } from './backups/restore-dialog.js';
import { Trust } from './backups/trust.js';

const mine = ['backup-create', 'backup-verify', 'restore'];

function Create({ disabled }: { readonly disabled: boolean }) {
  const [note, setNote] = useState('');
  const start = useStartJob();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = note.trim();
    start.mutate(
      { kind: 'backup-create', ...(trimmed === '' ? {} : { note: trimmed }) },
      { onSuccess: () => setNote('') },
    );
  };
  return (
    <Panel title="Make a backup">
      <p>
        Writers go on meanwhile. The finished copy is opened, checked and hashed in a process of its own
        before it counts.
      </p>
      <form className="filters" onSubmit={submit}>
        <TextInput
          label="Why (optional)"
          value={note}
          maxLength={1000}
          onChange={(event) => setNote(event.currentTarget.value)}
          className="filter-words"
        />
        <Button type="submit" disabled={disabled} loading={start.isPending}>
          Make a backup
        </Button>
        <Command text="deespec backup create" />
      </form>
      {start.error !== null && <Failure error={start.error} what="No backup was begun" />}
    </Panel>
  );
}

/** Backups of the tree: whether the last one can be trusted, make, check and bring back. */
export function BackupsPage() {
  const backups = useBackups();
  const session = useKnownSession();
  const start = useStartJob();
  const [restoring, setRestoring] = useState<Backup>();
  const jobs = useJobs().data?.items ?? [];
  const job = jobs.find(({ kind }) => mine.includes(kind));
  const disabled = session.readOnly || jobs.some(({ state }) => state === 'running');
  const verify = (backup: Backup) => start.mutate({ kind: 'backup-verify', backupId: backup.id });
  return (
    <Page
      title="Backups"
      lead="Each is one database that holds the whole tree, byte for byte, in every mode."
    >
      <QueryState query={backups} what="the backups">
        {({ items }) => (
          <>
            <Trust backups={items} onVerify={disabled ? undefined : verify} />
            {start.error !== null && <Failure error={start.error} what="The check was not begun" />}
            {job !== undefined && <JobView key={job.id} job={job} />}
            {items.length === 0 ? (
              <Empty title="No backup yet">Make one below. Keep a copy on another machine, too.</Empty>
            ) : (
              <BackupTable backups={items} disabled={disabled} onVerify={verify} onRestore={setRestoring} />
            )}
          </>
        )}
      </QueryState>
      <Create disabled={disabled} />
      {session.readOnly && (
        <p>This page is read-only: start “deespec admin” without --read-only to change anything.</p>
      )}
      {restoring !== undefined && (
        <RestoreDialog backup={restoring} onClose={() => setRestoring(undefined)} />
      )}
    </Page>
  );
}
