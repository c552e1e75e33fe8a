import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api, readContent, type Schemas } from './client.js';

/** A version that is kept until somebody chooses. */
export type Conflict = Schemas['ConflictDto'];
/** A rule with what breaks it. */
export type Rule = Schemas['RuleDto'];
/** An entry that is kept without being interpreted. */
export type Quarantined = Schemas['QuarantinedDto'];
/** A setting. */
export type Setting = Schemas['ConfigDto'];
/** A backup. */
export type Backup = Schemas['BackupDto'];
/** Which of the two versions of a conflict. */
export type Side = 'kept' | 'present';

/** Whether the database contradicts itself, by rule; reads the whole database, so it is asked for on demand. */
export function useFindings() {
  return useQuery({
    queryKey: ['findings'],
    queryFn: () => answer(api.GET('/api/findings')),
    staleTime: Infinity,
  });
}

/** Versions that wait for somebody's choice. */
export function useConflicts() {
  return useQuery({ queryKey: ['conflicts'], queryFn: () => answer(api.GET('/api/conflicts')) });
}

/** One conflict with what stands there now. */
export function useConflict(id: string) {
  return useQuery({
    queryKey: ['conflicts', id],
    queryFn: () => answer(api.GET('/api/conflicts/{id}', { params: { path: { id } } })),
  });
}

/** Address of the bytes of one of the two versions. */
export function conflictAddress(id: string, side: Side): string {
  return `/api/conflicts/${encodeURIComponent(id)}/${side}`;
}

/** Text of one of the two versions; not asked for when there is none. */
export function useConflictContent(id: string, side: Side, exists: boolean) {
  return useQuery({
    queryKey: ['conflicts', id, side],
    enabled: exists,
    queryFn: () => readContent(conflictAddress(id, side)),
  });
}

/** Chooses the version that stands. */
export function useResolve(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['ResolveRequest']) =>
      answer(api.POST('/api/conflicts/{id}/resolve', { params: { path: { id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['conflicts'], exact: true }),
  });
}

/** A page of the quarantine. */
export function useQuarantine(cursor: string | undefined) {
  return useQuery({
    queryKey: ['quarantine', 'list', cursor],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.GET('/api/quarantine', {
          params: { query: cursor === undefined ? {} : { cursor } },
        }),
      ),
  });
}

/** One entry in quarantine with the rules that it breaks. */
export function useQuarantined(id: string) {
  return useQuery({
    queryKey: ['quarantine', id],
    queryFn: () => answer(api.GET('/api/quarantine/{id}', { params: { path: { id } } })),
  });
}

/** Address of the bytes of an entry in quarantine. */
export function quarantinedAddress(id: string): string {
  return `/api/quarantine/${encodeURIComponent(id)}/content`;
}

/** Text of an entry in quarantine. */
export function useQuarantinedContent(id: string) {
  return useQuery({
    queryKey: ['quarantine', id, 'content'],
    queryFn: () => readContent(quarantinedAddress(id)),
  });
}

/** Where the database stands among the versions of the schema. */
export function useSchema() {
  return useQuery({ queryKey: ['schema'], queryFn: () => answer(api.GET('/api/schema')) });
}

/** Every setting. */
export function useConfig() {
  return useQuery({ queryKey: ['config'], queryFn: () => answer(api.GET('/api/config')) });
}

/** Sets one setting, if it still has the revision that was read. */
export function useChangeConfig() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, revision, valueJson }: Omit<Setting, 'updatedAt'>) =>
      answer(
        api.PUT('/api/config/{key}', {
          params: { path: { key }, header: { 'If-Match': revision } },
          body: { valueJson },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['config'] }),
  });
}

/** The backups of the tree. */
export function useBackups() {
  return useQuery({ queryKey: ['backups'], queryFn: () => answer(api.GET('/api/backups')) });
}
