// The only file that reads the process environment, so that every variable the command obeys is listed here.
import { userInfo } from 'node:os';

/** What the environment decides. */
export interface Settings {
  /** The environment as `findHome` reads it (`DEE_HOME`). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `DEESPEC_DEBUG=1`: a bug prints its stack. */
  readonly debug: boolean;
  /** The account of the process, which the audit log names for each change. */
  readonly user: string;
}

/** Reads the settings of this process. */
export function readSettings(): Settings {
  return { environment: process.env, debug: process.env['DEESPEC_DEBUG'] === '1', user: accountName() };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the account may have a number only.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
