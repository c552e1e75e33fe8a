import type { App, Part } from '../app.js';
import type { JobDto } from '../dto/job.js';
import { requireJob } from '../jobs/command.js';

/** Long jobs. */
export function jobRoutes({
  jobs,
  project,
}: Pick<App, 'jobs' | 'project'>): Part<'listJobs' | 'startJob' | 'getJob' | 'cancelJob'> {
  return {
    listJobs: async () => ({ body: { items: jobs.list().map(withoutReport) } }),
    startJob: async ({ body, by }) => {
      requireJob(body, project);
      return { body: { ...jobs.start(body, by) } };
    },
    getJob: async ({ params: { id } }) => ({ body: { ...jobs.get(id) } }),
    cancelJob: async ({ params: { id } }) => ({ body: { ...jobs.cancel(id) } }),
  };
}

/** Twenty reports at once would be megabytes: one is loaded with its job. */
function withoutReport({ report: _, ...job }: JobDto): JobDto {
  return job;
}
