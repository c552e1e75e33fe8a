import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Has V8 give back at once what nothing refers to any more. It would do so in time; but another process is about to need memory, too.
 *
 * Source: https://nodejs.org/api/v8.html#v8setflagsfromstringflags.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
