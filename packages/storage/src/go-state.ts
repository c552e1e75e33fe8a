import { parseTime } from '@deespec/domain';
import { join } from 'node:path';

import type { HomePaths } from './home.js';
import { readRegular } from './read-regular.js';

/** What `var/state.json` says of the work that goes on; empty when it says nothing readable. */
export interface GoWork {
  readonly wip?: string;
  /** UTC, fixed width. */
  readonly leaseUntil?: string;
}

/**
 * Reads the Go tool's state for status and preflight. Its damage is a finding of the migration, so it is no error here.
 */
export function readGoState(paths: HomePaths): GoWork {
  let value: unknown;
  try {
    value = JSON.parse(readRegular(join(paths.home, 'var', 'state.json'))?.toString('utf8') ?? '{}');
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const { wip, lease_expires_at: lease } = value as Record<string, unknown>;
  const leaseUntil = typeof lease === 'string' ? parseTime(lease) : undefined;
  return {
    ...(typeof wip === 'string' && wip !== '' ? { wip } : {}),
    ...(leaseUntil === undefined ? {} : { leaseUntil }),
  };
}
