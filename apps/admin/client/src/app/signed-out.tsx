import { ApiError } from '../api/api-error.js';
import { Command, Page } from '../components/page.js';
import { Failure } from '../components/states.js';

interface SignedOutProps {
  readonly error: unknown;
  readonly retry: () => void;
}

/** There is no session: how to get one. Every other failure is shown as what it is. */
export function SignedOut({ error, retry }: SignedOutProps) {
  const known = ApiError.from(error);
  return (
    <main className="shell-main">
      {known.status === 401 || known.status === 403 ? (
        <Page title="No session" lead="This page is for whoever started it in a terminal.">
          <p>
            A link works once, for a minute; a session ends when nobody has used it for half an hour. Run{' '}
            <Command text="deespec admin" /> in a terminal and open the link that it prints.
          </p>
          <Failure error={error} what="The server did not open a session" retry={retry} />
        </Page>
      ) : (
        <Page title="Not connected">
          <Failure error={error} what="The session could not be read" retry={retry} />
        </Page>
      )}
    </main>
  );
}
