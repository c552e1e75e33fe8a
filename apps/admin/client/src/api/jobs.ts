import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { answer, api, type Schemas } from './client.js';

/** A long job: running, or how it ended. */
export type Job = Schemas['JobDto'];
/** What is to be started. */
export type JobRequest = Schemas['JobRequest'];
/** A kind of job. */
export type JobKind = JobRequest['kind'];

const listKey = ['jobs'];

/** Puts the state of one job where every page sees it. */
export function putJob(client: QueryClient, job: Job): void {
  client.setQueryData<{ items: Job[] }>(listKey, (known) => {
    const items = known?.items ?? [];
    const rest = items.filter((other) => other.id !== job.id);
    return { items: [job, ...rest].sort((a, b) => b.startedAt.localeCompare(a.startedAt)) };
  });
}

/** Long jobs since the server started, newest first. One that runs is asked for each second beside what the events say. */
export function useJobs() {
  return useQuery({
    queryKey: listKey,
    queryFn: () => answer(api.GET('/api/jobs')),
    refetchInterval: (query) =>
      query.state.data?.items.some((job) => job.state === 'running') === true ? 1000 : false,
  });
}

/** A job that has ended, with its report, which the list leaves out. */
export function useEndedJob(job: Job) {
  return useQuery({
    queryKey: [...listKey, job.id],
    enabled: job.state !== 'running' && job.report === undefined,
    queryFn: () => answer(api.GET('/api/jobs/{id}', { params: { path: { id: job.id } } })),
    staleTime: Infinity,
  });
}

/** True while a job runs. */
export function useIsJobRunning(): boolean {
  return useJobs().data?.items.some((job) => job.state === 'running') === true;
}

/** Starts a job. */
export function useStartJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: JobRequest) => answer(api.POST('/api/jobs', { body })),
    onSuccess: (job) => putJob(client, job),
  });
}

/** Asks a job to stop where nothing is left half done. */
export function useCancelJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(api.POST('/api/jobs/{id}/cancel', { params: { path: { id } } })),
    onSuccess: (job) => putJob(client, job),
  });
}
