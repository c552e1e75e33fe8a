import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './api-error.js';

/** One cache for all pages. Data are renewed by the stream of events, not by looking away and back. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session has ended: it is asked for again, and the shell says how to get another one.
      if (ApiError.from(error).status === 401 && query.queryKey[0] !== 'session') {
        void queryClient.resetQueries({ queryKey: ['session'] });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      networkMode: 'always',
      retry: (count, error) => count < 2 && ApiError.from(error).retryable,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});
