import { flag, text, whole } from './property.js';

/** The one-time token of the link that the command printed. */
export class SessionRequest {
  @text({ min: 43, max: 43, pattern: /^[\w-]{43}$/u }) token!: string;
}

export class SessionDto {
  @text({ optional: true, about: 'to be sent as X-DeeSpec-Token with every request; told once' })
  csrfToken?: string;
  @text({ about: 'the name that dangerous actions ask to be typed again' }) project!: string;
  @text({ about: 'the account that changes are made by' }) user!: string;
  @flag({ about: 'every write answers 403' }) readOnly!: boolean;
  @text() version!: string;
  @whole({ about: 'seconds without a request after which the session ends' }) idleSeconds!: number;
}
