import type { Suite } from '../suite.js';
import { errors } from './errors.js';
import { fuzz } from './fuzz.js';
import { hostile } from './hostile.js';
import { interloper } from './interloper.js';
import { kill } from './kill.js';
import { lies } from './lies.js';
import { lint } from './lint.js';
import { power } from './power.js';
import { recover } from './recover.js';
import { rot } from './rot.js';
import { selftest } from './selftest.js';

/** Every suite, in the order in which `all` runs them. */
export const suites: readonly Suite[] = [
  selftest,
  lint,
  interloper,
  kill,
  recover,
  lies,
  errors,
  power,
  rot,
  hostile,
  fuzz,
];
