// The only file that reads the process environment, so that every variable the command obeys is listed here.

/** What the environment decides. */
export interface Settings {
  /** The environment as `findHome` reads it (`DEE_HOME`). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `DEESPEC_DEBUG=1`: a bug prints its stack. */
  readonly debug: boolean;
}

/** Reads the settings of this process. */
export function readSettings(): Settings {
  return { environment: process.env, debug: process.env['DEESPEC_DEBUG'] === '1' };
}
