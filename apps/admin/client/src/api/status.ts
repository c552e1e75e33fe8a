import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { answer, api, type Schemas } from './client.js';

/** Where the tree stands. */
export type Status = Schemas['StatusDto'];
/** The checks of the tree, with their numbers. */
export type Health = Schemas['HealthDto'];
/** What was done lately. */
export type Activity = Schemas['ActivityDto'];

/** Where the tree stands and what to do next. */
export function useStatus() {
  return useQuery({ queryKey: ['status'], queryFn: () => answer(api.GET('/api/status')) });
}

/** Every check, with the size of the log and the room on the disk. */
export function useHealth() {
  return useQuery({ queryKey: ['status', 'health'], queryFn: () => answer(api.GET('/api/health')) });
}

/** Counts by status, days and steps of the last `days` days. */
export function useActivity(days: number) {
  return useQuery({
    queryKey: ['sbis', 'activity', days],
    queryFn: () => answer(api.GET('/api/activity', { params: { query: { days } } })),
    placeholderData: keepPreviousData,
  });
}
