import { Button, Switch } from '@mantine/core';
import { useState } from 'react';
import { useStartJob } from '../../api/jobs.js';
import type { Backup } from '../../api/keeping.js';
import { useKnownSession } from '../../api/session.js';
import { useStatus } from '../../api/status.js';
import { Command } from '../../components/page.js';
import { Time } from '../../components/time.js';
import { TypedConfirmation } from '../../components/typed-confirmation.js';

interface RestoreDialogProps {
  readonly backup: Backup;
  readonly onClose: () => void;
}

/** Brings a backup back in place, after its name was typed; or tells first what would change. */
export function RestoreDialog({ backup, onClose }: RestoreDialogProps) {
  const session = useKnownSession();
  const status = useStatus().data;
  const start = useStartJob();
  const filesCount = status?.truth === 'files';
  const [withTree, setWithTree] = useState(filesCount);
  const run = (more: { dryRun: true } | { confirm: string }) =>
    start.mutate(
      { kind: 'restore', backupId: backup.id, ...(withTree ? { withTree: true } : {}), ...more },
      { onSuccess: onClose },
    );
  return (
    <TypedConfirmation
      opened
      title="Restore a backup in place"
      word={session.project}
      action="Restore"
      busy={start.isPending}
      error={start.error}
      onConfirm={() => run({ confirm: session.project })}
      onClose={onClose}
    >
      <div>
        The tree becomes what it was <Time value={backup.createdAt} show="both" />. The mode stays. What it
        takes the place of is kept in <code className="mono">.storage/trash/</code>; services wait meanwhile.
      </div>
      <Switch
        label={
          filesCount ? 'Write the files, too (needed: they are the source of truth)' : 'Write the files, too'
        }
        checked={withTree}
        onChange={(event) => setWithTree(event.currentTarget.checked)}
      />
      <div className="text-tools">
        <Button variant="default" onClick={() => run({ dryRun: true })}>
          Dry run: what would change
        </Button>
        <Command text={`deespec restore ${backup.id} --as <dir>`} />
        <span className="snippet">looks at it as files elsewhere</span>
      </div>
    </TypedConfirmation>
  );
}
