import type { Storage } from '@deespec/domain';
import type { IncomingMessage } from 'node:http';

import type { Form, operations, OperationName } from './contract.js';
import type { Events } from './events.js';
import type { Sessions } from './guard/sessions.js';
import type { Download } from './http/download.js';
import type { Jobs } from './jobs/jobs.js';
import type { Author, OpenTree } from './tree.js';

/** Everything that routes work with. */
export interface App {
  /** Path of the `.deespec` directory, symbolic links resolved. */
  readonly home: string;
  /** Name of the directory that holds it: what dangerous actions ask to be typed again. */
  readonly project: string;
  readonly user: string;
  readonly isReadOnly: boolean;
  readonly version: string;
  /** Two servers on one machine share their cookies: each has a name of its own. */
  readonly cookieName: string;
  readonly tree: OpenTree;
  readonly sessions: Sessions;
  readonly jobs: Jobs;
  readonly events: Events;
  readonly now: () => Date;
}

type Operations = typeof operations;
type InputOf<K extends OperationName, Part extends string> =
  Operations[K] extends Readonly<Record<Part, new () => infer T>> ? T : undefined;

/** One request that was let in and checked. */
export interface Call<K extends OperationName> {
  readonly params: InputOf<K, 'params'>;
  readonly query: InputOf<K, 'query'>;
  readonly body: InputOf<K, 'body'>;
  /** The version that `If-Match` names; empty where the route asks for none. */
  readonly ifMatch: string;
  readonly by: Author;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
  /** The tree, in the name of the caller. */
  readonly storage: () => Promise<Storage>;
}

/** What a handler answers beside an object: more headers, another status. */
export interface Answer<T> {
  readonly body: T;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

type BodyOf<R> = R extends new () => infer T
  ? T
  : R extends 'bytes'
    ? Download
    : R extends 'text'
      ? string
      : R extends 'document'
        ? object
        : undefined;

/** The handler of each route that answers with one body; `watch` has none, its answer goes on. */
export type Handlers = {
  readonly [K in Exclude<OperationName, 'watch'>]: (
    call: Call<K>,
  ) => Promise<Answer<BodyOf<Operations[K]['response']>>>;
};

/** A part of the handlers, by the names of its routes. */
export type Part<K extends keyof Handlers> = Pick<Handlers, K>;

/** The forms that are no object of a class. */
export type AnswerForm = Form;

/** Who may come in, as the guard found out. */
export interface Visitor {
  /** Of the session, or `bearer`. */
  readonly sessionId: string;
}

/** A request as Node has it, for the guard. */
export type RawRequest = IncomingMessage;
