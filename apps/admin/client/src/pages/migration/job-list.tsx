import { Button } from '@mantine/core';
import type { Job } from '../../api/jobs.js';
import { Mark, type Tone } from '../../components/badges.js';
import { Panel } from '../../components/page.js';
import { Table } from '../../components/table.js';
import { Time } from '../../components/time.js';

interface JobListProps {
  readonly jobs: readonly Job[];
  readonly shown: string | undefined;
  readonly onOpen: (id: string) => void;
}

const tones: Readonly<Record<Job['state'], Tone>> = {
  running: 'busy',
  done: 'good',
  failed: 'bad',
  cancelled: 'attention',
};

/** Runs since the server started, newest first. */
export function JobList({ jobs, shown, onOpen }: JobListProps) {
  return (
    <Panel title="Runs since this server was started">
      <Table
        label="Runs"
        rows={jobs}
        rowKey={(job) => job.id}
        columns={[
          { name: 'Begun', cell: (job) => <Time value={job.startedAt} show="both" /> },
          { name: 'What', cell: (job) => `${job.dryRun ? 'dry run of ' : ''}${job.kind}` },
          { name: 'State', cell: (job) => <Mark tone={tones[job.state]}>{job.state}</Mark> },
          {
            name: 'Report',
            cell: (job) => (
              <Button
                variant="default"
                size="compact-xs"
                disabled={job.id === shown}
                onClick={() => onOpen(job.id)}
              >
                {job.id === shown ? 'Shown above' : 'Show'}
              </Button>
            ),
          },
        ]}
      />
    </Panel>
  );
}
