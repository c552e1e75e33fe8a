import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useJobs } from '../api/jobs.js';
import type { Status } from '../api/status.js';
import { Icon } from '../components/icons.js';
import { Time } from '../components/time.js';

function Banner({ children }: { readonly children: ReactNode }) {
  return (
    <div className="banner" role="status">
      <Icon name="warning" />
      <span>{children}</span>
    </div>
  );
}

/** What holds for the whole tree at this moment, above every page: a run, a stop, somebody who has it alone. */
export function Banners({ status }: { readonly status: Status }) {
  const running = useJobs().data?.items.find((job) => job.state === 'running');
  return (
    <>
      {running !== undefined && (
        <Banner>
          {`Running: ${running.command}. `}
          <Link
            to={running.kind.startsWith('backup') || running.kind === 'restore' ? '/backups' : '/migration'}
          >
            Watch it
          </Link>
        </Banner>
      )}
      {running === undefined && status.locked && (
        <Banner>
          {status.holder === undefined
            ? 'A command has the tree to itself. '
            : `${status.holder.command} (process ${status.holder.pid}) has the tree to itself. `}
          Reading works; changes are refused until it ends.
        </Banner>
      )}
      {status.stoppedSince !== undefined && (
        <Banner>
          The tree is stopped since <Time value={status.stoppedSince} show="both" />: nobody changes it.{' '}
          <code className="command">deespec start</code> ends that.
        </Banner>
      )}
      {status.run !== undefined && running === undefined && (
        <Banner>
          {`A ${status.run.kind === 'cutover' ? 'cut-over' : 'rollback'} was cut off. `}
          <Link to="/migration">Go on with it, or take it back</Link>
        </Banner>
      )}
    </>
  );
}
