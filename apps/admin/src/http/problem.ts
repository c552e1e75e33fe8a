import { isStorageError, StorageError, systemError, type ErrorCode, type ErrorKind } from '@deespec/domain';

import type { ErrorDto } from '../dto/error.js';

const byKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  integrity: 500,
  busy: 503,
  unsupported: 501,
  io: 507,
  internal: 500,
};

/** Where the code says more than its kind. 423: the tree is held, or stopped, and the change may be tried again. */
const byCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  'REQUEST.HOST': 421,
  'REQUEST.ORIGIN': 403,
  'REQUEST.UNAUTHENTICATED': 401,
  'REQUEST.READ_ONLY': 403,
  'REQUEST.METHOD': 405,
  'REQUEST.MEDIA_TYPE': 415,
  'REQUEST.TOO_LARGE': 413,
  'REQUEST.TOO_MANY': 429,
  'LOCK.HELD': 423,
  'STORAGE.STOPPED': 423,
  'RUN.UNFINISHED': 423,
  'RESTORE.UNFINISHED': 423,
};

/** What Fastify refuses before a handler runs, by its code. */
const byFastifyCode: Readonly<Record<string, readonly [code: ErrorCode, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST.TOO_LARGE', 'the body is larger than 1 MiB'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['REQUEST.MEDIA_TYPE', 'the body is not application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['USAGE.INVALID', 'the body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['USAGE.INVALID', 'the body is no JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['USAGE.INVALID', 'the body has not the length that was said'],
  FST_ERR_BAD_URL: ['USAGE.INVALID', 'the address is not well-formed'],
  FST_ERR_MAX_PARAM_LENGTH: ['REQUEST.NOT_FOUND', 'there is no such route'],
};

/** An answer that says what went wrong. */
export interface Problem {
  readonly status: number;
  readonly body: ErrorDto;
  /** What was thrown, when nobody expected it. */
  readonly bug?: unknown;
}

/** What an answer must not give away, and what names it. */
export interface ProblemContext {
  readonly home: string;
  readonly requestId: string;
}

/** What was thrown as an answer: never a stack, never where the tree lies, and of a bug nothing but the id of the request. */
export function problemOf(thrown: unknown, { home, requestId }: ProblemContext): Problem {
  const error = knownError(thrown);
  if (!isStorageError(error)) {
    return { status: 500, body: unexpected(requestId), bug: thrown };
  }
  const { code, kind, message, hint, details, retryable } = error;
  const withoutHome = (value: unknown): unknown => hide(value, home);
  return {
    status: byCode[code] ?? byKind[kind] ?? 500,
    body: {
      code,
      message: withoutHome(message) as string,
      ...(hint === undefined ? {} : { hint: withoutHome(hint) as string }),
      details: withoutHome(details) as Record<string, unknown>,
      retryable: retryable === true,
      requestId,
    },
  };
}

function unexpected(requestId: string): ErrorDto {
  return {
    code: 'INTERNAL',
    message: 'unexpected failure',
    hint: `this is a bug: please report it with what "deespec admin" printed for request ${requestId}`,
    details: {},
    retryable: false,
    requestId,
  };
}

function knownError(thrown: unknown): unknown {
  if (isStorageError(thrown)) return thrown;
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
  const [known, message] = byFastifyCode[code] ?? [];
  if (known !== undefined) return new StorageError(known, message!);
  const isSyntax = thrown instanceof SyntaxError && 'statusCode' in thrown && thrown.statusCode === 400;
  return isSyntax ? new StorageError('USAGE.INVALID', 'the body is no JSON') : systemError(thrown);
}

/** Deeper than this nothing of an error is told. */
const MOST_DEPTH = 6;

function hide(value: unknown, home: string, depth = 0): unknown {
  if (typeof value === 'string') return value.replaceAll(home, '.deespec');
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MOST_DEPTH) return null;
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => hide(one, home, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, hide(one, home, depth + 1)] as const),
  );
}
