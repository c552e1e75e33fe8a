import type { Suite } from '../suite.js';
import { backups } from './backups.js';
import { blackout } from './blackout.js';
import { cutover } from './cutover.js';
import { errors } from './errors.js';
import { foreign } from './foreign.js';
import { full } from './full.js';
import { fuzz } from './fuzz.js';
import { hostile } from './hostile.js';
import { interloper } from './interloper.js';
import { kill } from './kill.js';
import { lies } from './lies.js';
import { limits } from './limits.js';
import { lint } from './lint.js';
import { model } from './model.js';
import { places } from './places.js';
import { power } from './power.js';
import { recover } from './recover.js';
import { rot } from './rot.js';
import { selftest } from './selftest.js';
import { together } from './together.js';
import { unavailable } from './unavailable.js';
import { writers } from './writers.js';

/** Every suite, in the order in which `all` runs them. */
export const suites: readonly Suite[] = [
  selftest,
  lint,
  interloper,
  together,
  kill,
  recover,
  lies,
  errors,
  power,
  blackout,
  full,
  places,
  limits,
  rot,
  hostile,
  fuzz,
  writers,
  foreign,
  backups,
  cutover,
  unavailable,
  model,
];
