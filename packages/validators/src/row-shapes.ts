import { decisions, isSbiId, parseTime, sbiStatuses } from '@deespec/domain';

import { oneOf, satisfying, text, whole, type Presence } from './property.js';
import type { Shape } from './shape.js';

/** Tables whose rows have a shape. */
export type RowKind = 'sbi' | 'execution' | 'config' | 'audit';

// Columns as a driver returns them: null where the table has none. Source: migration strategy, "Core Tables".

class SbiRow {
  @satisfying('required', 'an SBI id', isId) id!: unknown;
  @text('required') task_id!: unknown;
  @text('nullable') label!: unknown;
  @whole(Number.MIN_SAFE_INTEGER, 'required') priority!: unknown;
  @oneOf(sbiStatuses, 'required') status!: unknown;
  @time('required') created_at!: unknown;
  @time('required') updated_at!: unknown;
  @time('nullable') completed_at!: unknown;
  @satisfying('required', 'a JSON object as text', isJsonObject) metadata!: unknown;
}

class ExecutionRow {
  @satisfying('required', 'an SBI id', isId) sbi_id!: unknown;
  @whole(1, 'required') run!: unknown;
  @whole(1, 'required') turn!: unknown;
  @text('required') step!: unknown;
  @text('required') status!: unknown;
  @oneOf(decisions, 'nullable') decision!: unknown;
  @whole(0, 'required') attempt!: unknown;
  @time('required') started_at!: unknown;
  @time('nullable') completed_at!: unknown;
  @time('nullable') lease_expires_at!: unknown;
  @satisfying('required', 'a JSON object as text', isJsonObject) metadata!: unknown;
}

class ConfigRow {
  @satisfying('required', 'setting.<key> or workflow.<key>', isConfigKey) key!: unknown;
  @satisfying('required', 'JSON as text', isJson) value!: unknown;
  @time('required') updated_at!: unknown;
}

class AuditRow {
  @time('required') timestamp!: unknown;
  @text('required') entity_type!: unknown;
  @text('required') entity_id!: unknown;
  @text('required') action!: unknown;
  @satisfying('nullable', 'JSON as text', isJson) old_value!: unknown;
  @satisfying('nullable', 'JSON as text', isJson) new_value!: unknown;
  @text('nullable') user!: unknown;
  @text('nullable') session_id!: unknown;
}

/** The shape of each table's rows. */
export const rowShapes: Readonly<Record<RowKind, Shape>> = {
  sbi: { model: SbiRow },
  execution: { model: ExecutionRow },
  config: { model: ConfigRow },
  audit: { model: AuditRow },
};

function time(presence: Presence): PropertyDecorator {
  return satisfying(presence, 'a UTC time of 30 characters', isFixedTime);
}

function isFixedTime(value: unknown): boolean {
  return typeof value === 'string' && value.length === 30 && parseTime(value) === value;
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && isSbiId(value);
}

function isConfigKey(value: unknown): boolean {
  return typeof value === 'string' && /^(?:setting|workflow)\./u.test(value);
}

function isJson(value: unknown): boolean {
  return parsesAs(value, () => true);
}

function isJsonObject(value: unknown): boolean {
  return parsesAs(value, (json) => typeof json === 'object' && json !== null && !Array.isArray(json));
}

function parsesAs(value: unknown, accepts: (json: unknown) => boolean): boolean {
  if (typeof value !== 'string') return false;
  try {
    return accepts(JSON.parse(value));
  } catch {
    return false; // not JSON: exactly what this asks
  }
}
