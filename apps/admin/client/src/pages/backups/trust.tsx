import { Button } from '@mantine/core';
import type { Backup } from '../../api/keeping.js';
import { formatBytes } from '../../components/format.js';
import { Time } from '../../components/time.js';
import { Verdict } from '../../components/verdict.js';

interface TrustProps {
  /** Newest first. */
  readonly backups: readonly Backup[];
  /** Absent while nothing can be started. */
  readonly onVerify: ((backup: Backup) => void) | undefined;
}

function VerifyButton({ backup, onVerify }: { backup: Backup; onVerify: TrustProps['onVerify'] }) {
  return (
    <div>
      <Button variant="default" disabled={onVerify === undefined} onClick={() => onVerify?.(backup)}>
        Read all of it again now
      </Button>
    </div>
  );
}

/** Whether the last backup can be trusted: yes or no, since when, and what to do. */
export function Trust({ backups, onVerify }: TrustProps) {
  const last = backups.find((backup) => backup.state !== 'refused');
  if (last === undefined) {
    return (
      <Verdict tone="bad" title="There is no backup to be trusted">
        <div>Make one: it is read back and checked before it counts.</div>
      </Verdict>
    );
  }
  if (last.state === 'verified') {
    return (
      <Verdict
        tone="good"
        title={
          <>
            Yes, the last backup can be trusted: it was made <Time value={last.createdAt} show="age" />
          </>
        }
      >
        <div>
          All {formatBytes(last.sizeBytes)} of it were last read and as they should be{' '}
          <Time value={last.verifiedAt} show="both" />: hashes of every content, references and SQLite’s own
          check. A disk can go bad later; reading it again tells.
        </div>
        <VerifyButton backup={last} onVerify={onVerify} />
      </Verdict>
    );
  }
  const verified = backups.find((backup) => backup.state === 'verified');
  return (
    <Verdict
      tone={last.problem === undefined ? 'attention' : 'bad'}
      title="Not yet: the last backup is not verified"
    >
      <div>{last.problem ?? 'It was not read back, or has another size since.'}</div>
      <div>
        {verified === undefined ? (
          'No other backup is verified either.'
        ) : (
          <>
            The last one that can be trusted was made <Time value={verified.createdAt} show="both" />.
          </>
        )}
      </div>
      <VerifyButton backup={last} onVerify={onVerify} />
    </Verdict>
  );
}
