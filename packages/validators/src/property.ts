import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

// Each helper is one property's whole rule: all its class-validator decorators with one message, the expectation people
// read. What a helper may look at is limited by `describeValue` in shape.ts, which says why.

/** What a property is allowed to miss: `optional` the key may be absent, `nullable` (rows) it may be null. */
export type Presence = 'required' | 'optional' | 'nullable';

/** Any text. */
export function text(presence: Presence): PropertyDecorator {
  return all(presence, 'a string', (message) => [IsString({ message })]);
}

/** One of a closed set of texts. */
export function oneOf(values: readonly string[], presence: Presence): PropertyDecorator {
  return all(presence, `one of ${values.join(', ')}`, (message) => [IsIn(values, { message })]);
}

/** A whole number that JavaScript holds exactly, not below `least`. */
export function whole(least: number, presence: Presence): PropertyDecorator {
  const range = least === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${least}`;
  return all(presence, `a whole number${range}`, (message) => [
    IsInt({ message }),
    Min(least, { message }),
    Max(Number.MAX_SAFE_INTEGER, { message }),
  ]);
}

/** `true` or `false`. */
export function flag(presence: Presence): PropertyDecorator {
  return all(presence, 'true or false', (message) => [IsBoolean({ message })]);
}

/** An object; its keys are not looked at. */
export function object(presence: Presence): PropertyDecorator {
  return all(presence, 'an object', (message) => [IsObject({ message })]);
}

/** A list of texts. */
export function texts(presence: Presence): PropertyDecorator {
  return all(presence, 'a list of strings', (message) => [
    IsArray({ message }),
    IsString({ each: true, message }),
  ]);
}

/** A list whose elements are texts or objects. */
export function textsOrObjects(presence: Presence): PropertyDecorator {
  return all(presence, 'a list of strings and objects', (message) => [
    IsArray({ message }),
    ValidateBy({ name: 'textOrObject', validator: { validate: isTextOrObject } }, { each: true, message }),
  ]);
}

/** An object, or a list of objects, with a shape of its own: the `nested` part of the owner's `Shape`. */
export function nested(presence: Presence, form: 'object' | 'list'): PropertyDecorator {
  return form === 'object'
    ? all(presence, 'an object', (message) => [IsObject({ message }), ValidateNested({ message })])
    : all(presence, 'a list of objects', (message) => [
        IsArray({ message }),
        IsObject({ each: true, message }),
        ValidateNested({ each: true, message }),
      ]);
}

/** A value that satisfies `accepts`. */
export function satisfying(
  presence: Presence,
  expected: string,
  accepts: (value: unknown) => boolean,
): PropertyDecorator {
  return all(presence, expected, (message) => [
    ValidateBy({ name: 'satisfying', validator: { validate: accepts } }, { message }),
  ]);
}

function isTextOrObject(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

function all(
  presence: Presence,
  expected: string,
  make: (message: string) => PropertyDecorator[],
): PropertyDecorator {
  const decorators = make(expected);
  // Not IsOptional: it would let null pass where only absence may.
  if (presence === 'optional') decorators.push(ValidateIf((_, value) => value !== undefined));
  if (presence === 'nullable') decorators.push(ValidateIf((_, value) => value !== null));
  return (target, key) => {
    for (const decorate of decorators) decorate(target, key);
  };
}
