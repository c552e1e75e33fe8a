import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useIsFetching } from '@tanstack/react-query';
import { useJobs, type Job } from '../api/jobs.js';
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

function RunningBanner({ job }: { readonly job: Job }) {
  const isOfBackups = job.kind.startsWith('backup') || job.kind === 'restore';
  return (
    <Banner>
      {`Running: ${job.command}. `}
      <Link to={isOfBackups ? '/backups' : '/migration'}>Watch it</Link>
    </Banner>
  );
}

/**
 * What holds for the whole tree at this moment, above every page: a run, a stop, somebody who has it alone. While a run of
 * this page is at work, and until the state after it was read, the run is all there is to say.
 */
export function Banners({ status }: { readonly status: Status }) {
  const running = useJobs().data?.items.find((job) => job.state === 'running');
  const isRenewing = useIsFetching({ queryKey: ['status'], exact: true }) > 0;
  if (running !== undefined) return <RunningBanner job={running} />;
  if (isRenewing && status.run !== undefined) return null;
  return (
    <>
      {status.locked && (
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
      {status.run !== undefined && (
        <Banner>
          {`A ${status.run.kind === 'cutover' ? 'cut-over' : 'rollback'} was cut off. `}
          <Link to="/migration">Go on with it, or take it back</Link>
        </Banner>
      )}
    </>
  );
}
