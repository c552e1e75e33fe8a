interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly hint?: unknown;
  readonly requestId?: unknown;
  readonly retryable?: unknown;
  readonly details?: unknown;
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** A request that was not answered with what was asked for: the error object of the server, or what stands for it. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly details: unknown;
  /** True when the same request may be answered in a moment. */
  readonly retryable: boolean;

  /** @param status - HTTP status; 0 when there was no answer */
  constructor(status: number, body: ErrorBody) {
    super(text(body.message) ?? `the server answered ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = text(body.code) ?? `HTTP.${status}`;
    this.hint = text(body.hint);
    this.requestId = text(body.requestId);
    this.details = body.details;
    this.retryable = body.retryable === true;
  }

  /** Any thrown value as an `ApiError`; a failed fetch says that the server is gone, and how to start it. */
  static from(error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    if (typeof error === 'object' && error !== null && !(error instanceof Error))
      return new ApiError(0, error);
    if (error instanceof TypeError) {
      return new ApiError(0, {
        code: 'ADMIN.NO_ANSWER',
        message: 'The admin server does not answer.',
        hint: 'Was it ended? Start it with "deespec admin" and open the link that it prints.',
      });
    }
    return new ApiError(0, { code: 'INTERNAL', message: error instanceof Error ? error.message : 'unknown' });
  }
}
