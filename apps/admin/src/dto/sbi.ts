import { decisions, sbiStatuses } from '@deespec/domain';

import { PLACE } from '../http/step-cursor.js';
import { flag, nested, object, oneOf, text, texts, whole } from './property.js';

/** Columns that a list can be ordered by. */
export const sbiOrders = ['created', 'next', 'updated', 'priority', 'status', 'id'] as const;

/** Longest cursor that names a step, characters; the name of one has no limit of its own. */
const MOST_CURSOR = 8_000;

const SBI_ID = /^SBI-[0-9A-Z]{26}$/u;

export class SbiParams {
  @text({ pattern: SBI_ID }) id!: string;
}

export class FileParams extends SbiParams {
  @text({ pattern: /^[0-9a-f]{16}$/u, about: 'as the list of files has it' }) fileId!: string;
}

/** What a list or an export is made of. */
export class SbiFilterQuery {
  @oneOf(sbiStatuses, { optional: true }) status?: string;
  @text({ optional: true, min: 1, max: 200 }) label?: string;
  @text({ optional: true, max: 1_000, about: 'every word must occur; nothing in it is an operator' })
  search?: string;
  @oneOf(sbiOrders, { optional: true, about: 'default created; next: the order in which they are taken' })
  sort?: string;
  @oneOf(['asc', 'desc'], { optional: true, about: 'default asc' }) order?: string;
}

export class SbiListQuery extends SbiFilterQuery {
  @whole({ optional: true, min: 1, max: 200, about: 'default 50' }) limit?: number;
  @text({ optional: true, pattern: SBI_ID, about: 'nextCursor of the page before' }) cursor?: string;
}

export class SbiExportQuery extends SbiFilterQuery {
  @oneOf(['csv', 'json']) format!: string;
}

/** A piece of a text, and whether it is a word that was searched for. */
export class SnippetPartDto {
  @text() text!: string;
  @flag() match!: boolean;
}

export class SbiDto {
  @text() id!: string;
  @text() taskId!: string;
  @text() title!: string;
  @texts() labels!: string[];
  @whole() priority!: number;
  @oneOf(sbiStatuses) status!: string;
  @text({ about: 'UTC; so are the next two' }) createdAt!: string;
  @text() updatedAt!: string;
  @text({ optional: true }) completedAt?: string;
  @text({ about: 'opaque; If-Match of a change. Also the ETag of the SBI alone' }) revision!: string;
  @nested(SnippetPartDto, 'list', { optional: true, about: 'where a word was found; only with search' })
  snippet?: SnippetPartDto[];
}

export class SbiPageDto {
  @nested(SbiDto, 'list') items!: SbiDto[];
  @text({ optional: true, about: 'absent on the last page' }) nextCursor?: string;
}

export class SbiDetailDto extends SbiDto {
  @object({ about: 'everything else that its files say' }) metadata!: Record<string, unknown>;
}

export class SbiCreateRequest {
  @text({ min: 1, max: 1_000 }) title!: string;
  @text({ optional: true, max: 900_000, about: 'content of spec.md' }) spec?: string;
  @texts({ optional: true, max: 200 }) labels?: string[];
  @whole({ optional: true, min: 0, max: 1_000_000 }) priority?: number;
}

/** What is to change; an absent key stays as it is. */
export class SbiChangeRequest {
  @text({ optional: true, min: 1, max: 1_000 }) title?: string;
  @text({ optional: true, max: 1_000, about: 'labels, separated by commas' }) label?: string;
  @whole({ optional: true, min: 0, max: 1_000_000 }) priority?: number;
  @oneOf(sbiStatuses, { optional: true }) status?: string;
  @oneOf(decisions, { optional: true }) decision?: string;
  @whole({ optional: true, min: 1, max: 1_000_000 }) attempt?: number;
}

/** One step of one turn of one run. */
export class ExecutionDto {
  @text() sbiId!: string;
  @whole({ min: 1 }) run!: number;
  @whole({ min: 1 }) turn!: number;
  @text() step!: string;
  @text() status!: string;
  @text() decision!: string;
  @whole() attempt!: number;
  @text({ about: 'UTC; so are the next two' }) startedAt!: string;
  @text({ optional: true }) completedAt?: string;
  @text({ optional: true }) leaseExpiresAt?: string;
  @whole({ optional: true }) elapsedMs?: number;
  @text({ optional: true, about: 'what went wrong' }) error?: string;
  @text({ optional: true, about: 'its text among the files of the SBI; absent: it has none' })
  fileId?: string;
  @object() metadata!: Record<string, unknown>;
}

export class ExecutionQuery {
  @whole({ optional: true, min: 1 }) run?: number;
  @whole({ optional: true, min: 1, max: 200, about: 'default 100' }) limit?: number;
  @text({
    optional: true,
    max: MOST_CURSOR,
    pattern: new RegExp(`^${PLACE}$`, 'u'),
    about: 'nextCursor of the page before',
  })
  cursor?: string;
}

export class ExecutionPageDto {
  @nested(ExecutionDto, 'list', { about: 'by run, turn, step' }) items!: ExecutionDto[];
  @text({ optional: true }) nextCursor?: string;
}

export class FailureQuery {
  @text({ max: 40, about: 'failures that ended, or began and have not ended, at or after this time' })
  since!: string;
  @whole({ optional: true, min: 1, max: 200, about: 'default 50' }) limit?: number;
  @text({
    optional: true,
    max: MOST_CURSOR,
    pattern: new RegExp(String.raw`^SBI-[0-9A-Z]{26}\.${PLACE}$`, 'u'),
    about: 'nextCursor of the page before',
  })
  cursor?: string;
}

/** An execution that failed, with its SBI. */
export class FailureDto {
  @nested(SbiDto, 'object') sbi!: SbiDto;
  @nested(ExecutionDto, 'object') execution!: ExecutionDto;
}

export class FailurePageDto {
  @nested(FailureDto, 'list', { about: 'newest end first' }) items!: FailureDto[];
  @text({ optional: true, about: 'absent on the last page' }) nextCursor?: string;
}

export class ExecutionCreateRequest {
  @whole({ min: 1, max: 1_000_000 }) run!: number;
  @whole({ min: 1, max: 1_000_000 }) turn!: number;
  @text({ pattern: /^[a-z][a-z0-9_-]{0,63}$/u }) step!: string;
  @oneOf(sbiStatuses, { about: 'of the SBI after it' }) status!: string;
  @oneOf(decisions) decision!: string;
  @whole({ optional: true, min: 1, max: 1_000_000 }) attempt?: number;
  @whole({ optional: true, min: 0 }) elapsedMs?: number;
  @text({ optional: true, max: 10_000 }) error?: string;
  @text({ optional: true, max: 900_000, about: 'what is written to its file' }) content?: string;
}

/** A file below the directories of an SBI. */
export class FileDto {
  @text() id!: string;
  @text({ about: 'for display, below the directory of the SBI' }) name!: string;
  @oneOf(['spec', 'execution', 'attachment']) role!: string;
  @oneOf(['file', 'symlink']) kind!: string;
  @whole({ min: 0 }) sizeBytes!: number;
  @text({ about: 'UTC' }) modifiedAt!: string;
}

export class FileListDto {
  @nested(FileDto, 'list', { about: 'at most 1,000' }) items!: FileDto[];
  @whole({ min: 0, about: 'all of them' }) count!: number;
}
