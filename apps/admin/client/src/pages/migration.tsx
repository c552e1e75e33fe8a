import { getRouteApi } from '@tanstack/react-router';
import { useIsJobRunning, useJobs, type JobKind } from '../api/jobs.js';
import { useStatus } from '../api/status.js';
import { JobView } from '../components/job-view.js';
import { Page } from '../components/page.js';
import { Empty, QueryState } from '../components/states.js';
import { JobList } from './migration/job-list.js';
import { Standing } from './migration/standing.js';
import { Ways } from './migration/ways.js';

const route = getRouteApi('/migration');

/** Kinds that have their page elsewhere. */
const elsewhere: readonly JobKind[] = ['backup-create', 'backup-verify', 'restore'];

/** Where the tree is on its way, and each step of the way there and back. */
export function MigrationPage() {
  const status = useStatus();
  const jobs = useJobs();
  const { job: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  const running = useIsJobRunning();
  const open = (job: string) => void navigate({ search: { job }, resetScroll: false });
  const mine = (jobs.data?.items ?? []).filter((job) => !elsewhere.includes(job.kind));
  const shown = mine.find((job) => job.id === chosen) ?? mine[0];
  return (
    <Page
      title="Migration"
      lead="From files to SQLite and back. Every step is tried, proven and can be taken back; nothing that was written is lost."
    >
      <QueryState query={status} what="where the tree stands">
        {(data) => (
          <>
            <Standing status={data} running={running || (status.isFetching && data.run !== undefined)} />
            {shown !== undefined && <JobView job={shown} />}
            <Ways status={data} busy={running} onStarted={(job) => open(job.id)} />
          </>
        )}
      </QueryState>
      {mine.length === 0 ? (
        <Empty title="No run since this server was started">
          Reports of earlier runs are in .storage/reports/.
        </Empty>
      ) : (
        <JobList jobs={mine} shown={shown?.id} onOpen={open} />
      )}
    </Page>
  );
}
