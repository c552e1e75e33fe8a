import { StorageError } from '@deespec/domain';
import type { FastifyRequest } from 'fastify';

import type { Operation } from '../contract.js';
import { requireOwnPage } from './doors.js';
import { Pace } from './pace.js';
import type { Sessions } from './sessions.js';

/** What the guard decides by. */
export interface GuardOptions {
  readonly port: () => number;
  readonly cookieName: () => string;
  readonly sessions: Sessions;
  /** True for the `Authorization` header of a service; absent: there are no services. */
  readonly isBearer?: (authorization: string) => boolean;
  readonly isReadOnly: boolean;
  readonly nowMs: () => number;
}

/** What is asked for: a route, the page itself (`page`) or one of its files (`file`); `undefined`: nothing that there is. */
export type Wanted = Operation | 'page' | 'file' | undefined;

/** Who a request comes from, by the name that the audit log gives it. */
export const SERVICE = 'bearer';

/** Decides who gets in, before anything is looked up, parsed or opened. Source: docs/admin.md, "Who gets in". */
export class Guard {
  private readonly pace: Pace;

  constructor(private readonly options: GuardOptions) {
    this.pace = new Pace(options.nowMs);
  }

  /**
   * The order is: host, origin, session, pace, whether the route may be used.
   *
   * @returns the session of the caller; empty for what needs none
   * @throws StorageError `REQUEST.*`
   */
  admit(request: FastifyRequest, wanted: Wanted): string {
    requireOwnPage(request.raw, { port: this.options.port(), isPage: wanted === 'page' });
    if (wanted === 'page' || wanted === 'file') return '';
    const isEntry = typeof wanted === 'object' && wanted.access === 'entry';
    const caller = isEntry ? '' : this.caller(request);
    if (!this.pace.take(caller)) {
      throw new StorageError('REQUEST.TOO_MANY', 'too many requests at once', {
        hint: 'wait a second, then go on',
      });
    }
    if (typeof wanted === 'object') this.requireUsable(request, wanted);
    return caller;
  }

  /** True while the session of an answer that goes on has not ended. */
  isWelcome(caller: string): boolean {
    return caller === SERVICE || this.options.sessions.isOpen(caller);
  }

  private caller(request: FastifyRequest): string {
    const { sessions, isBearer, cookieName } = this.options;
    const { authorization, cookie = '' } = request.headers;
    if (authorization !== undefined && isBearer?.(authorization) === true) return SERVICE;
    const token = request.headers['x-deespec-token'];
    const value = cookieIn(cookie, cookieName());
    const session = typeof token === 'string' && value !== undefined ? sessions.use(value, token) : undefined;
    if (session !== undefined) return session;
    throw new StorageError('REQUEST.UNAUTHENTICATED', 'there is no session, or it has ended', {
      hint: 'open a new link: press Enter where "deespec admin" runs, or start it again',
    });
  }

  private requireUsable(request: FastifyRequest, { access, body }: Operation): void {
    if (access === 'write' && this.options.isReadOnly) {
      throw new StorageError(
        'REQUEST.READ_ONLY',
        'this admin app only reads: it was started with --read-only',
        {
          hint: 'start it without --read-only, or use the command',
        },
      );
    }
    const { 'content-type': type, 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    const hasBody = encoding !== undefined || (length !== undefined && length !== '0');
    if (body === undefined && !hasBody) return;
    // Another type could be sent by a form of any page, without asking first.
    if (body !== undefined && /^application\/json *(;|$)/iu.test(type ?? '')) return;
    throw new StorageError('REQUEST.MEDIA_TYPE', 'the body has to be application/json, where there is one', {
      hint: 'send JSON, with that content type',
    });
  }
}

function cookieIn(header: string, name: string): string | undefined {
  const found = header.split(/; */u).find((one) => one.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}
