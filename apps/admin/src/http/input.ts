import 'reflect-metadata';

import { StorageError } from '@deespec/domain';
import { validateSync, type ValidationError } from 'class-validator';

import type { Model } from '../contract.js';

/** Where a value of a request comes from: in an address every value is text. */
export type Source = 'path' | 'query' | 'body';

/**
 * What a client sent, as an instance of the class that its route names. Keys that the class does not have are refused, numbers of an
 * address are read strictly, and nothing of the input's prototype takes part.
 *
 * @throws StorageError `USAGE.INVALID`; it names the keys and never repeats a value
 */
export function readInput<T extends object>(model: Model<T>, raw: unknown, source: Source): T {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalid(source, [{ property: '', expected: 'a JSON object' }]);
  }
  const instance = new model();
  const known = Object.keys(instance);
  const unknown = Object.keys(raw).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw invalid(
      source,
      unknown.slice(0, 10).map((key) => ({ property: key.slice(0, 100), expected: 'no such key' })),
    );
  }
  for (const key of known) {
    const value = Object.hasOwn(raw, key) ? (raw as Record<string, unknown>)[key] : undefined;
    Object.defineProperty(instance, key, {
      value: source === 'body' ? value : textValue(instance, key, value),
    });
  }
  const errors = validateSync(instance, { forbidUnknownValues: false, validationError: { target: false } });
  if (errors.length > 0) throw invalid(source, errors.map(problemOf));
  return instance;
}

/** A text of an address as the type of its property; what is no number stays a text, and is refused as one. */
function textValue(instance: object, key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const isNumber = Reflect.getMetadata('design:type', instance, key) === Number;
  return isNumber && /^\d{1,15}$/u.test(value) ? Number(value) : value;
}

interface InputProblem {
  readonly property: string;
  readonly expected: string;
}

function problemOf({ property, constraints }: ValidationError): InputProblem {
  return { property, expected: Object.values(constraints ?? {})[0] ?? 'another value' };
}

function invalid(source: Source, problems: readonly InputProblem[]): StorageError {
  const [first] = problems;
  const where = first!.property === '' ? `the ${source}` : `"${first!.property}" of the ${source}`;
  return new StorageError('USAGE.INVALID', `${where} is not as it has to be: ${first!.expected}`, {
    hint: 'apps/admin/openapi.json says what every route takes',
    details: { source, problems },
  });
}
