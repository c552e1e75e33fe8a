import { exitCodes, stopSignals } from './exit-code.js';
import type { StopSignal } from './exit-code.js';
import { runProgram } from './program.js';
import { Session } from './session.js';
import { readSettings } from './settings.js';
import { Terminal } from './terminal.js';

// What this program writes (databases, exports, reports) is for its user alone. Source: SECURITY.md.
process.umask(0o077);

const argv = process.argv.slice(2);
const terminal = new Terminal(process.stdout, process.stderr);
const session = new Session({ terminal, settings: readSettings(), argv });
const signals = Object.keys(stopSignals) as StopSignal[];

// The first signal asks for a clean stop; with the handlers gone, the second ends the process at once, even while
// synchronous work keeps the event loop from running.
for (const signal of signals) {
  process.once(signal, () => {
    for (const other of signals) process.removeAllListeners(other);
    session.interrupt(signal);
  });
}

process.on('uncaughtException', (error) => {
  void session.fail(error).then(finish);
});

await runProgram(session, argv);
await finish();

async function finish(): Promise<never> {
  await terminal.flush();
  if (terminal.outputError !== undefined) {
    terminal.note(`error: cannot write the output: ${terminal.outputError.message}`);
    process.exit(exitCodes.io);
  }
  process.exit(session.exitCode);
}
