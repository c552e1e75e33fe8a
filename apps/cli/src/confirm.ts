// What cannot be taken back is confirmed by typing it: on a terminal only, and nowhere else does this program ask anything.
import { createInterface } from 'node:readline/promises';
import { StorageError } from '@deespec/domain';

/** What is to be confirmed. */
export interface Confirmation {
  /** What is about to happen, for people. */
  readonly about: string;
  /** What has to be typed. */
  readonly words: string;
  readonly signal: AbortSignal;
}

/**
 * Asks a person on the terminal to type what is about to happen.
 *
 * @throws StorageError `USAGE.INVALID` where there is no terminal, and for another answer; what the signal is aborted with
 */
export async function confirm({ about, words, signal }: Confirmation): Promise<void> {
  const { stdin: input, stderr: output } = process;
  if (!input.isTTY || !output.isTTY)
    throw refused('it has to be confirmed, and there is no terminal to ask on');
  output.write(about);
  const lines = createInterface({ input, output });
  // Control-C at the question stops the command as it does everywhere else.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await lines.question(`type "${words}" to go on: `, { signal });
    if (answer.trim() !== words) throw refused('it was not confirmed');
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}

function refused(why: string): StorageError {
  return new StorageError('USAGE.INVALID', `${why}; nothing was changed`, {
    hint: 'to go on without being asked, add --yes',
  });
}
