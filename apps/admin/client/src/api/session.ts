import { useQuery } from '@tanstack/react-query';
import { ApiError } from './api-error.js';
import { answer, api, setCsrfToken, type Schemas } from './client.js';

/** Who works here, on which tree, and whether changes are allowed. */
export type Session = Schemas['SessionDto'];

/** The one-time token of the link; it is taken out of the address before anything else can read it there. */
function takeToken(): string | undefined {
  const token = /^#token=([\w-]+)$/u.exec(location.hash)?.[1];
  if (token !== undefined) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

let offered = takeToken();

async function openSession(): Promise<Session> {
  const token = offered;
  offered = undefined;
  try {
    const session =
      token === undefined
        ? await answer(api.GET('/api/session'))
        : await answer(api.POST('/api/session', { body: { token } }));
    // It is told once, when the session begins.
    if (session.csrfToken !== undefined) setCsrfToken(session.csrfToken);
    return session;
  } catch (error) {
    if (ApiError.from(error).status === 401) setCsrfToken(undefined);
    throw error;
  }
}

/** The session of this page; opened with the token of the link when there is one, else with the cookie. */
export function useSession() {
  return useQuery({ queryKey: ['session'], queryFn: openSession, staleTime: Infinity });
}

/** The session, where the shell has already seen that there is one. */
export function useKnownSession(): Session {
  const { data } = useSession();
  if (data === undefined) throw new Error('a page was shown without a session');
  return data;
}
