import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { answer, api, readContent, type Schemas } from './client.js';
import type { paths } from './schema.js';

/** A row of the list. */
export type Sbi = Schemas['SbiDto'];
/** One step of one turn of one run. */
export type Execution = Schemas['ExecutionDto'];
/** A file below the directory of an SBI. */
export type SbiFile = Schemas['FileDto'];
/** What the list is made of. */
export type SbiQuery = NonNullable<paths['/api/sbis']['get']['parameters']['query']>;

/** A page of the list. */
export function useSbis(query: SbiQuery) {
  return useQuery({
    queryKey: ['sbis', 'list', query],
    queryFn: () => answer(api.GET('/api/sbis', { params: { query } })),
    placeholderData: keepPreviousData,
  });
}

/** The first SBIs with these words, or the one with this id; asks nothing for less than two letters. */
export function useSbiSearch(words: string) {
  const search = words.trim();
  return useQuery({
    queryKey: ['sbis', 'palette', search],
    enabled: search.length >= 2,
    placeholderData: keepPreviousData,
    queryFn: async (): Promise<Sbi[]> => {
      if (/^SBI-[0-9A-Z]{26}$/u.test(search)) {
        return [await answer(api.GET('/api/sbis/{id}', { params: { path: { id: search } } }))];
      }
      const page = await answer(api.GET('/api/sbis', { params: { query: { search, limit: 8 } } }));
      return page.items;
    },
  });
}

/** Address of the export of a filter, as a download. */
export function exportAddress(query: SbiQuery, format: 'csv' | 'json'): string {
  const values = new URLSearchParams({ format });
  for (const key of ['status', 'label', 'search', 'sort', 'order'] as const) {
    const value = query[key];
    if (value !== undefined && value !== '') values.set(key, value);
  }
  return `/api/sbi-export?${values.toString()}`;
}

/** One SBI. */
export function useSbi(id: string) {
  return useQuery({
    queryKey: ['sbis', id],
    queryFn: () => answer(api.GET('/api/sbis/{id}', { params: { path: { id } } })),
  });
}

/** The executions that have arrived, and whether these are all of them. */
export interface Executions {
  readonly items: readonly Execution[];
  readonly isComplete: boolean;
}

/**
 * Every execution of one SBI, without the texts, by run, turn and step. They come in pages; each page is there to be shown
 * while the next one is on its way.
 */
export function useExecutions(id: string) {
  const query = useInfiniteQuery({
    queryKey: ['sbis', id, 'executions'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      answer(
        api.GET('/api/sbis/{id}/executions', {
          params: {
            path: { id },
            query: { limit: 200, ...(pageParam === undefined ? {} : { cursor: pageParam }) },
          },
        }),
      ),
    getNextPageParam: (page) => page.nextCursor,
  });
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && error === null) void fetchNextPage();
  }, [hasNextPage, isFetching, error, fetchNextPage]);
  const executions = useMemo<Executions | undefined>(
    () =>
      data === undefined
        ? undefined
        : { items: data.pages.flatMap((page) => page.items), isComplete: !hasNextPage },
    [data, hasNextPage],
  );
  return { data: executions, error, refetch };
}

/** Specification, texts and attachments of one SBI. */
export function useFiles(id: string) {
  return useQuery({
    queryKey: ['sbis', id, 'files'],
    queryFn: () => answer(api.GET('/api/sbis/{id}/files', { params: { path: { id } } })),
  });
}

/** Address of the bytes of a file. */
export function fileAddress(id: string, fileId: string): string {
  return `/api/sbis/${encodeURIComponent(id)}/files/${encodeURIComponent(fileId)}`;
}

/** Text of a file; nothing is asked while it is not known which. */
export function useFileContent(id: string, fileId: string | undefined) {
  return useQuery({
    queryKey: ['sbis', id, 'content', fileId],
    enabled: fileId !== undefined,
    queryFn: () => readContent(fileAddress(id, fileId ?? '')),
  });
}
