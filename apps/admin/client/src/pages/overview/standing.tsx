import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Health, Status } from '../../api/status.js';
import { Mark } from '../../components/badges.js';
import { formatBytes, formatCount } from '../../components/format.js';
import { Facts, Panel } from '../../components/page.js';
import { Table } from '../../components/table.js';
import { Time } from '../../components/time.js';

interface StatusProps {
  readonly status: Status;
}

const storeNames: Readonly<Record<string, string>> = { files: 'the files', sqlite: 'SQLite (deespec.db)' };

/** The mode in force, what it means, and the others. */
export function ModePanel({ status }: StatusProps) {
  return (
    <Panel title="Mode">
      <Facts
        rows={[
          ['Mode', <strong key="mode">{status.mode}</strong>],
          ['Means', status.modeMeaning],
          ['Source of truth', <strong key="truth">{storeNames[status.truth] ?? status.truth}</strong>],
          ...(status.requested === undefined ? [] : [['Asked for', status.requested] as const]),
          ...(status.settingProblem === undefined ? [] : [['Problem', status.settingProblem] as const]),
        ]}
      />
      <details>
        <summary>All modes</summary>
        <Table
          label="Modes"
          rows={status.modes}
          rowKey={(mode) => mode.mode}
          columns={[
            {
              name: 'Mode',
              cell: (mode) => (mode.current ? <strong>{`${mode.mode} (now)`}</strong> : mode.mode),
            },
            { name: 'Reads', cell: (mode) => mode.reads },
            { name: 'Means', kind: 'words', cell: (mode) => mode.meaning },
          ]}
        />
      </details>
    </Panel>
  );
}

/** When every byte of both stores was last compared, and with which result. */
export function EvidencePanel({ status }: StatusProps) {
  const { evidence, database } = status;
  if (evidence === undefined) {
    return (
      <Panel title="Evidence">
        <p>
          {database.state === 'absent'
            ? 'There is no database yet, so there is nothing to be proven. A migration compares every byte before it publishes one.'
            : 'No comparison of both stores is on record. “deespec verify --check-all” makes one.'}
        </p>
      </Panel>
    );
  }
  const same = evidence.differences === 0;
  return (
    <Panel
      title="Evidence"
      actions={
        <Mark tone={same ? 'good' : 'bad'}>
          {same ? 'no difference' : `${evidence.differences} differences`}
        </Mark>
      }
    >
      <Facts
        rows={[
          ['Compared', <Time key="at" value={evidence.at} show="both" />],
          ['Entries', formatCount(evidence.entries)],
          ['Bytes', formatBytes(evidence.sizeBytes)],
          [
            'Digest',
            <code key="digest" className="mono">
              {evidence.digest ?? 'not every byte was read'}
            </code>,
          ],
        ]}
      />
    </Panel>
  );
}

/** The last backup that was proven. */
export function BackupPanel({ status }: StatusProps) {
  const { lastVerifiedBackup: verified, lastBackup: last } = status;
  const newer = last !== undefined && last.id !== verified?.id;
  return (
    <Panel
      title="Last verified backup"
      actions={
        <Mark tone={verified === undefined ? 'bad' : 'good'}>
          {verified === undefined ? 'none' : 'verified'}
        </Mark>
      }
    >
      {verified === undefined ? (
        <p>
          No backup of this tree was proven. <Link to="/backups">Make one</Link>: it is read back before it
          counts.
        </p>
      ) : (
        <Facts
          rows={[
            ['Made', <Time key="at" value={verified.createdAt} show="both" />],
            [
              'Name',
              <code key="id" className="mono">
                {verified.id}
              </code>,
            ],
          ]}
        />
      )}
      {newer && <p>A newer one is not verified.</p>}
      <Link to="/backups">Can it be trusted?</Link>
    </Panel>
  );
}

function waiting(count: number, words: string): ReactNode {
  return count === 0 ? (
    <Mark tone="good">none</Mark>
  ) : (
    <Mark tone="attention">{`${formatCount(count)} ${words}`}</Mark>
  );
}

/** Debt, conflicts and quarantine: what waits for somebody or something. */
export function WaitingPanel({ status }: StatusProps) {
  const { debt } = status;
  const quarantined = status.database.rows?.quarantined ?? 0;
  return (
    <Panel title="Waiting">
      <Facts
        rows={[
          [
            'Debt',
            <span key="debt">
              {waiting(debt?.count ?? 0, 'changes owed to the other store')}
              {debt?.since !== undefined && debt.count > 0 && (
                <>
                  {' since '}
                  <Time value={debt.since} show="both" />
                </>
              )}
              {debt?.lastError !== undefined && debt.count > 0 && ` ${debt.lastError}`}
            </span>,
          ],
          [
            'Conflicts',
            <Link key="conflicts" to="/conflicts">
              {waiting(status.conflicts, 'to be resolved')}
            </Link>,
          ],
          [
            'Quarantine',
            <Link key="quarantine" to="/quarantine">
              {waiting(quarantined, 'kept aside')}
            </Link>,
          ],
          [
            'Service',
            status.service === undefined ? (
              'does not run'
            ) : (
              <Time key="s" value={status.service.since} show="both" />
            ),
          ],
          ['Workflow tool', status.goToolRuns ? 'at work' : 'not at work'],
        ]}
      />
    </Panel>
  );
}

interface SpaceProps extends StatusProps {
  readonly numbers: Health['numbers'] | undefined;
}

/** Sizes of the database and of its log, and the room that is left. */
export function SpacePanel({ status, numbers }: SpaceProps) {
  const size = (name: string) => {
    const value = numbers?.[name];
    return typeof value === 'number' ? formatBytes(value) : '–';
  };
  const { database } = status;
  return (
    <Panel title="Log and disk">
      <Facts
        rows={[
          ['Database', database.sizeBytes === undefined ? database.state : formatBytes(database.sizeBytes)],
          ['Write-ahead log', size('wal_bytes')],
          ['Room on the disk', size('disk_free_bytes')],
          ['Schema', database.schemaVersion === undefined ? '–' : `version ${database.schemaVersion}`],
          ['Last look at the files', <Time key="scan" value={status.lastScan?.at} show="both" />],
        ]}
      />
    </Panel>
  );
}
