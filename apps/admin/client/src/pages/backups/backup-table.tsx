import { Button } from '@mantine/core';
import type { Backup } from '../../api/keeping.js';
import { SeverityMark } from '../../components/badges.js';
import { formatBytes, visibleText } from '../../components/format.js';
import { Table, type Column } from '../../components/table.js';
import { Time } from '../../components/time.js';

interface BackupTableProps {
  readonly backups: readonly Backup[];
  /** True while nothing can be started. */
  readonly disabled: boolean;
  readonly onVerify: (backup: Backup) => void;
  readonly onRestore: (backup: Backup) => void;
}

function Actions({
  backup,
  disabled,
  onVerify,
  onRestore,
}: { backup: Backup } & Omit<BackupTableProps, 'backups'>) {
  if (backup.state === 'refused') return <span>never touched</span>;
  return (
    <span className="nowrap">
      <Button
        variant="default"
        size="compact-xs"
        disabled={disabled}
        aria-label={`Verify ${backup.id}`}
        onClick={() => onVerify(backup)}
      >
        Verify
      </Button>{' '}
      <Button
        variant="default"
        size="compact-xs"
        disabled={disabled}
        aria-label={`Restore ${backup.id}`}
        onClick={() => onRestore(backup)}
      >
        Restore …
      </Button>
    </span>
  );
}

/** The backups, newest first, with what can be done with each. */
export function BackupTable({ backups, ...rest }: BackupTableProps) {
  const columns: readonly Column<Backup>[] = [
    { name: 'Made', cell: (backup) => <Time value={backup.createdAt} show="both" /> },
    { name: 'Standing', cell: (backup) => <SeverityMark severity={backup.state} /> },
    { name: 'Last read', cell: (backup) => <Time value={backup.verifiedAt} show="age" /> },
    { name: 'Size', kind: 'number', cell: (backup) => formatBytes(backup.sizeBytes) },
    { name: 'Mode', cell: (backup) => backup.mode ?? '–' },
    {
      name: 'Name and note',
      kind: 'words',
      cell: (backup) => (
        <>
          <code className="mono">{visibleText(backup.id, 100)}</code>
          {backup.note !== undefined && <div>{visibleText(backup.note, 300)}</div>}
          {backup.problem !== undefined && (
            <div className="error-words">{visibleText(backup.problem, 300)}</div>
          )}
        </>
      ),
    },
    { name: 'Actions', cell: (backup) => <Actions backup={backup} {...rest} /> },
  ];
  return <Table label="Backups" columns={columns} rows={backups} rowKey={(backup) => backup.id} />;
}
