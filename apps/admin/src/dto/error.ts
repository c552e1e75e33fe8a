import { flag, object, text } from './property.js';

/** What went wrong: the same object as in the CLI's JSON document, with the id of the request. */
export class ErrorDto {
  @text({ about: 'stable: test it; docs/errors.md has all of them' }) code!: string;
  @text({ about: 'what happened, for people' }) message!: string;
  @text({ optional: true, about: 'what to do next' }) hint?: string;
  @object({ about: 'ids, counts and versions; never content' }) details!: Record<string, unknown>;
  @flag({ about: 'the same request may succeed later without any change' }) retryable!: boolean;
  @text({ about: 'names the request in the log and in the audit log' }) requestId!: string;
}
