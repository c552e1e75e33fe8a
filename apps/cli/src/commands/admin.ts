import { createInterface } from 'node:readline';
import type { StorageError } from '@deespec/domain';
import { defineCommand, namedPath, wholeNumber } from '../command.js';
import { openInBrowser } from '../open-browser.js';
import { ownProgram } from '../own-program.js';
import type { Context, Outcome, Session } from '../session.js';

/** Options of the command. */
interface AdminFlags {
  readonly port?: number;
  readonly open?: true;
  readonly readOnly?: true;
  readonly tokenFile?: string;
}

/** `admin`: serves the admin app until a signal. */
export function adminCommand(session: Session) {
  return defineCommand('admin', {
    summary: 'serve the admin app on this machine, and print the link that opens it once',
    description:
      'Serve the admin app on the loopback addresses of this machine until a signal, and print a link. The link opens ' +
      'the app once, within a minute; Enter prints another. What changes something there is written to the audit log, ' +
      'as by a command. Other programs use the same API with the token of --token-file.',
    examples: [
      ['deespec admin --open', 'and open the link in the browser'],
      ['deespec admin --port 7300 --read-only', 'on a fixed port; nothing can be changed'],
      [
        'deespec admin --token-file ~/.config/deespec.token',
        'also for services: Authorization: Bearer <token>',
      ],
    ],
  })
    .option('--port <port>', 'the port (default: any that is free)', wholeNumber(1, 65_535))
    .option('--open', 'open the link in the browser')
    .option('--read-only', 'refuse everything that changes something')
    .option('--token-file <file>', 'let services in that know its token; made when there is none', namedPath)
    .action((flags, command) => session.run(command, (context) => serve(context, flags)));
}

async function serve(context: Context, { port, open, readOnly, tokenFile }: AdminFlags): Promise<Outcome> {
  const { signal, terminal, user } = context;
  const home = await context.home();
  const { startAdmin } = await import('@deespec/admin');
  const admin = await startAdmin({
    home,
    user,
    program: ownProgram(),
    readOnly: readOnly === true,
    onProblem: (message) => terminal.note(message),
    ...(port === undefined ? {} : { port }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  });
  const link = admin.makeLink();
  terminal.note(`the admin app is at ${admin.url}${readOnly === true ? ', and changes nothing' : ''}`);
  terminal.note(`open within a minute, once: ${link}`);
  const removePage = open === true ? await openInBrowser(link, (why) => terminal.note(why)) : undefined;
  const lines = newLinks(() => terminal.note(`open within a minute, once: ${admin.makeLink()}`));
  try {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  } finally {
    lines?.close();
    removePage?.();
    await admin.close();
  }
  // A signal is its usual end.
  return { data: { url: admin.url }, text: () => '', error: signal.reason as StorageError };
}

/** Enter on the terminal asks for another link. */
function newLinks(onEnter: () => void) {
  if (!process.stdin.isTTY) return undefined;
  const lines = createInterface({ input: process.stdin });
  lines.on('line', onEnter);
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  return lines;
}
