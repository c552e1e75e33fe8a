import { StorageError } from '@deespec/domain';

import type { App, Part } from '../app.js';
import type { SessionDto } from '../dto/session.js';
import { IDLE_MS } from '../guard/sessions.js';
import { openApiDocument } from '../openapi.js';

/** The session, and the contract that everything follows. */
export function sessionRoutes(app: App): Part<'openSession' | 'getSession' | 'closeSession' | 'getContract'> {
  const { sessions, version } = app;
  return {
    openSession: async ({ body: { token } }) => {
      const session = sessions.open(token);
      if (session === undefined) {
        throw new StorageError('REQUEST.UNAUTHENTICATED', 'the link was used, is too old, or is none', {
          hint: 'open a new one: press Enter where "deespec admin" runs',
        });
      }
      return {
        body: { ...sessionView(app), csrfToken: session.csrfToken },
        headers: { 'set-cookie': `${app.cookieName}=${session.cookie}; Path=/; HttpOnly; SameSite=Strict` },
      };
    },
    getSession: async () => ({ body: sessionView(app) }),
    closeSession: async ({ by }) => {
      sessions.end(by.sessionId);
      return {
        body: undefined,
        headers: { 'set-cookie': `${app.cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0` },
      };
    },
    getContract: async () => ({ body: openApiDocument(version) }),
  };
}

/** What the client has to know; the token is told once, when the session begins. */
export function sessionView({ project, user, isReadOnly, version }: App): SessionDto {
  return { project, user, readOnly: isReadOnly, version, idleSeconds: IDLE_MS / 1_000 };
}
