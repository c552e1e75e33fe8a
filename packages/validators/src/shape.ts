import { decisions, sbiStatuses, type ShapeProblem } from '@deespec/domain';
import { validateSync, type ValidationError } from 'class-validator';

/** A class with one decorated property per known key, and how its nested objects look. */
export interface Shape {
  readonly model: new () => object;
  readonly nested?: Readonly<Record<string, Shape>>;
  /** Answer from memory when a value with the same signature had no problem; see {@link describeValue}. */
  readonly remember?: 'clean-signatures';
}

/** Problems of `value` against `shape`; `[]` when it has it. Never changes, coerces or keeps `value`. */
export function problemsOf(shape: Shape, value: unknown): ShapeProblem[] {
  if (!isRecord(value)) return [{ property: '', expected: 'an object', actual: shorten(value) }];
  if (shape.remember === undefined) return validate(shape, value);
  const known = remembered(shape);
  const signature = describe(known.keys, value);
  if (known.clean.has(signature)) return [];
  const problems = validate(shape, value);
  // Bounded: clean texts of closed sets times a few classes per key; the cap is for arrays of odd mixtures.
  if (problems.length === 0 && known.clean.size < 10_000) known.clean.add(signature);
  return problems;
}

/** The same answer without memory: what {@link problemsOf} must always equal. */
export function validate(shape: Shape, value: object): ShapeProblem[] {
  const errors = validateSync(instanceOf(shape, value), {
    forbidUnknownValues: false,
    validationError: { target: false },
  });
  return errors.flatMap((error) => flatten(error, ''));
}

/**
 * A text that is equal for two values only if no rule of property.ts can tell them apart: those rules see a value's
 * class, the range of a whole number, and the members of a closed set. A number is its sign and kind, a list the set of
 * its elements' classes, and a text stands for itself when it is short enough to be in a closed set.
 */
export function describeValue(value: unknown): string {
  if (typeof value === 'number') return describeNumber(value);
  if (typeof value === 'string') return value.length <= longestMember ? JSON.stringify(value) : 't';
  if (Array.isArray(value)) return `[${[...new Set(value.map(describeElement))].sort().join('')}]`;
  return describeElement(value);
}

/** Longer texts are in no closed set. */
const longestMember = Math.max(...[...decisions, ...sbiStatuses].map((member) => member.length));

function describeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) return 'f';
  return value < 0 ? '-' : value === 0 ? '0' : '+';
}

function describeElement(value: unknown): string {
  if (value === null) return 'n';
  if (Array.isArray(value)) return 'a';
  return { string: 't', object: 'o', undefined: 'u', boolean: 'b' }[typeof value as string] ?? 'x';
}

interface Memory {
  readonly keys: readonly string[];
  readonly clean: Set<string>;
}

const memories = new Map<Shape, Memory>();

function remembered(shape: Shape): Memory {
  let memory = memories.get(shape);
  if (memory === undefined) {
    memory = { keys: Object.keys(new shape.model()), clean: new Set() };
    memories.set(shape, memory);
  }
  return memory;
}

function describe(keys: readonly string[], value: object): string {
  let signature = '';
  for (const key of keys) signature += `${describeValue(own(value, key))},`;
  return signature;
}

/** An instance with the known keys only, read as own properties: nothing of `value`'s prototype or setters takes part. */
function instanceOf(shape: Shape, value: object): object {
  const instance = new shape.model();
  for (const key of Object.keys(instance)) {
    const part = shape.nested?.[key];
    const raw = own(value, key);
    Object.defineProperty(instance, key, { value: part === undefined ? raw : nestedOf(part, raw) });
  }
  return instance;
}

function nestedOf(shape: Shape, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((element: unknown) => (isRecord(element) ? instanceOf(shape, element) : element));
  return isRecord(value) ? instanceOf(shape, value) : value;
}

function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flatten(error: ValidationError, prefix: string): ShapeProblem[] {
  const property = `${prefix}${error.property}`;
  const below = (error.children ?? []).flatMap((child) => flatten(child, `${property}.`));
  const expected = Object.values(error.constraints ?? {})[0];
  return expected === undefined ? below : [{ property, expected, actual: shorten(error.value) }, ...below];
}

function shorten(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return `${value}`;
  return (JSON.stringify(typeof value === 'string' ? value.slice(0, 200) : value) ?? typeof value).slice(
    0,
    200,
  );
}
