import { useInfiniteQuery } from '@tanstack/react-query';
import { answer, api, type Schemas } from './client.js';

/** A step that failed, with the item that it belongs to. */
export type FailedStep = Schemas['FailureDto'];

const pageRows = 12;

/** Steps that failed since a moment, newest end first, a page at a time. */
export function useFailures(sinceMs: number) {
  return useInfiniteQuery({
    queryKey: ['sbis', 'failures', sinceMs],
    staleTime: 30_000,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor }) => {
      const since = new Date(sinceMs).toISOString();
      const query = { since, limit: pageRows, ...(cursor === undefined ? {} : { cursor }) };
      return answer(api.GET('/api/failures', { params: { query } }));
    },
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
}
