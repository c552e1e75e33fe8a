import { AuditPageDto, AuditQuery } from './dto/audit.js';
import { JobDto, JobListDto, JobParams, JobRequest } from './dto/job.js';
import * as keeping from './dto/keeping.js';
import * as sbi from './dto/sbi.js';
import { SessionDto, SessionRequest } from './dto/session.js';
import { ActivityDto, ActivityQuery, HealthDto, LivenessDto, StatusDto } from './dto/status.js';

/** A class of `dto/`. */
export type Model<T extends object = object> = new () => T;

/** What a route answers with beside an object of a class: the bytes of a file, text, events, or nothing (204). */
export type Form = 'bytes' | 'text' | 'events' | 'nothing' | 'document';

/** One route: everything that is checked before its handler runs, and everything that the OpenAPI document says. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Parameters as `{name}`. */
  readonly path: string;
  readonly summary: string;
  /** `entry`: needs no session. `write`: refused with `--read-only`. `own`: changes the session alone. */
  readonly access: 'entry' | 'read' | 'write' | 'own';
  readonly params?: Model;
  readonly query?: Model;
  readonly body?: Model;
  /** Names the version that is changed. */
  readonly ifMatch?: true;
  readonly response: Model | Form;
}

/** The HTTP API. A route that is not here does not exist. */
export const operations = {
  openSession: {
    method: 'POST',
    path: '/api/session',
    summary: 'Swap the one-time token of the link for a session; sets its cookie',
    access: 'entry',
    body: SessionRequest,
    response: SessionDto,
  },
  getSession: {
    method: 'GET',
    path: '/api/session',
    summary: 'The session, also of a service with a bearer token',
    access: 'read',
    response: SessionDto,
  },
  closeSession: {
    method: 'DELETE',
    path: '/api/session',
    summary: 'End the session',
    access: 'own',
    response: 'nothing',
  },
  getStatus: {
    method: 'GET',
    path: '/api/status',
    summary: 'Where the tree stands and what to do next',
    access: 'read',
    response: StatusDto,
  },
  getHealth: {
    method: 'GET',
    path: '/api/health',
    summary: 'Every check of the tree, with numbers such as the size of the log and the room on the disk',
    access: 'read',
    response: HealthDto,
  },
  getActivity: {
    method: 'GET',
    path: '/api/activity',
    summary: 'SBIs by status, what was done a day, how long steps take',
    access: 'read',
    query: ActivityQuery,
    response: ActivityDto,
  },
  listSbis: {
    method: 'GET',
    path: '/api/sbis',
    summary: 'A page of SBIs',
    access: 'read',
    query: sbi.SbiListQuery,
    response: sbi.SbiPageDto,
  },
  exportSbis: {
    method: 'GET',
    path: '/api/sbi-export',
    summary: 'Every SBI that a filter names, as CSV or JSON',
    access: 'read',
    query: sbi.SbiExportQuery,
    response: 'bytes',
  },
  createSbi: {
    method: 'POST',
    path: '/api/sbis',
    summary: 'Add an SBI',
    access: 'write',
    body: sbi.SbiCreateRequest,
    response: sbi.SbiDetailDto,
  },
  getSbi: {
    method: 'GET',
    path: '/api/sbis/{id}',
    summary: 'One SBI; its ETag is its revision',
    access: 'read',
    params: sbi.SbiParams,
    response: sbi.SbiDetailDto,
  },
  changeSbi: {
    method: 'PATCH',
    path: '/api/sbis/{id}',
    summary: 'Change fields of the version that was read',
    access: 'write',
    params: sbi.SbiParams,
    body: sbi.SbiChangeRequest,
    ifMatch: true,
    response: sbi.SbiDetailDto,
  },
  listExecutions: {
    method: 'GET',
    path: '/api/sbis/{id}/executions',
    summary: 'A page of the executions of one SBI',
    access: 'read',
    params: sbi.SbiParams,
    query: sbi.ExecutionQuery,
    response: sbi.ExecutionPageDto,
  },
  listFailures: {
    method: 'GET',
    path: '/api/failures',
    summary: 'A page of the executions that failed since a time, across all SBIs',
    access: 'read',
    query: sbi.FailureQuery,
    response: sbi.FailurePageDto,
  },
  appendExecution: {
    method: 'POST',
    path: '/api/sbis/{id}/executions',
    summary: 'Append what a step did',
    access: 'write',
    params: sbi.SbiParams,
    body: sbi.ExecutionCreateRequest,
    response: sbi.ExecutionDto,
  },
  listFiles: {
    method: 'GET',
    path: '/api/sbis/{id}/files',
    summary: 'The files of one SBI: its specification, the texts of its executions, attachments',
    access: 'read',
    params: sbi.SbiParams,
    response: sbi.FileListDto,
  },
  readFile: {
    method: 'GET',
    path: '/api/sbis/{id}/files/{fileId}',
    summary: 'The bytes of one file',
    access: 'read',
    params: sbi.FileParams,
    response: 'bytes',
  },
  listAudit: {
    method: 'GET',
    path: '/api/audit',
    summary: 'A page of the audit log, newest first',
    access: 'read',
    query: AuditQuery,
    response: AuditPageDto,
  },
  getFindings: {
    method: 'GET',
    path: '/api/findings',
    summary: 'Whether the database contradicts itself, by rule',
    access: 'read',
    response: keeping.FindingsDto,
  },
  listConflicts: {
    method: 'GET',
    path: '/api/conflicts',
    summary: 'Versions that are kept until somebody chooses',
    access: 'read',
    response: keeping.ConflictListDto,
  },
  getConflict: {
    method: 'GET',
    path: '/api/conflicts/{id}',
    summary: 'One conflict with what stands there now',
    access: 'read',
    params: keeping.ConflictParams,
    response: keeping.ConflictDetailDto,
  },
  readConflict: {
    method: 'GET',
    path: '/api/conflicts/{id}/{side}',
    summary: 'The bytes of one of the two versions',
    access: 'read',
    params: keeping.ConflictSideParams,
    response: 'bytes',
  },
  resolveConflict: {
    method: 'POST',
    path: '/api/conflicts/{id}/resolve',
    summary: 'Choose the version that stands; the path is typed again',
    access: 'write',
    params: keeping.ConflictParams,
    body: keeping.ResolveRequest,
    response: keeping.ResolvedDto,
  },
  listQuarantine: {
    method: 'GET',
    path: '/api/quarantine',
    summary: 'A page of what is kept without being interpreted',
    access: 'read',
    query: keeping.QuarantineQuery,
    response: keeping.QuarantinePageDto,
  },
  getQuarantined: {
    method: 'GET',
    path: '/api/quarantine/{id}',
    summary: 'One entry in quarantine with the rules it breaks',
    access: 'read',
    params: keeping.QuarantineParams,
    response: keeping.QuarantinedDetailDto,
  },
  readQuarantined: {
    method: 'GET',
    path: '/api/quarantine/{id}/content',
    summary: 'The bytes of one entry in quarantine',
    access: 'read',
    params: keeping.QuarantineParams,
    response: 'bytes',
  },
  getSchema: {
    method: 'GET',
    path: '/api/schema',
    summary: 'Where the database stands among the versions of the schema',
    access: 'read',
    response: keeping.SchemaDto,
  },
  listConfig: {
    method: 'GET',
    path: '/api/config',
    summary: 'Every setting',
    access: 'read',
    response: keeping.ConfigListDto,
  },
  changeConfig: {
    method: 'PUT',
    path: '/api/config/{key}',
    summary: 'Set the version of a setting that was read',
    access: 'write',
    params: keeping.ConfigParams,
    body: keeping.ConfigChangeRequest,
    ifMatch: true,
    response: keeping.ConfigDto,
  },
  listBackups: {
    method: 'GET',
    path: '/api/backups',
    summary: 'The backups of the tree',
    access: 'read',
    response: keeping.BackupListDto,
  },
  listJobs: {
    method: 'GET',
    path: '/api/jobs',
    summary: 'Long jobs since the server started',
    access: 'read',
    response: JobListDto,
  },
  startJob: {
    method: 'POST',
    path: '/api/jobs',
    summary: 'Start a long job; one runs at a time',
    access: 'write',
    body: JobRequest,
    response: JobDto,
  },
  getJob: {
    method: 'GET',
    path: '/api/jobs/{id}',
    summary: 'One long job',
    access: 'read',
    params: JobParams,
    response: JobDto,
  },
  cancelJob: {
    method: 'POST',
    path: '/api/jobs/{id}/cancel',
    summary: 'Ask a job to stop; it ends where nothing is left half done',
    access: 'write',
    params: JobParams,
    response: JobDto,
  },
  watch: {
    method: 'GET',
    path: '/api/events',
    summary: 'What changes, as server-sent events: hello, change (ChangeEventDto), job (JobDto)',
    access: 'read',
    response: 'events',
  },
  getContract: {
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This document',
    access: 'read',
    response: 'document',
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Health and counts for Prometheus',
    access: 'read',
    response: 'text',
  },
  getLiveness: {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the tree can be worked with; 503 when a check failed',
    access: 'read',
    response: LivenessDto,
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
