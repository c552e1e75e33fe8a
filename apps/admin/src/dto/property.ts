import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';

// Each helper is one property's whole rule: what is checked at the edge, and what the OpenAPI document says of it.

/** What every property may say beside its type. */
interface About {
  /** The key may be absent. */
  readonly optional?: true;
  /** For people, in the OpenAPI document. */
  readonly about?: string;
}

/** Text; lengths in UTF-16 units. */
export function text(
  rule: About & { readonly min?: number; readonly max?: number; readonly pattern?: RegExp } = {},
): PropertyDecorator {
  const { min, max, pattern } = rule;
  return all(rule, [
    IsString(),
    ...(min === undefined ? [] : [MinLength(min)]),
    ...(max === undefined ? [] : [MaxLength(max)]),
    ...(pattern === undefined ? [] : [Matches(pattern)]),
  ]);
}

/** One of a closed set of texts. */
export function oneOf(values: readonly string[], rule: About = {}): PropertyDecorator {
  return all(rule, [IsIn([...values])]);
}

/** A whole number that JavaScript holds exactly. */
export function whole(
  rule: About & { readonly min?: number; readonly max?: number } = {},
): PropertyDecorator {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = rule;
  return all(rule, [IsInt(), Min(min), Max(max)]);
}

/** Any finite number. */
export function number(rule: About = {}): PropertyDecorator {
  return all(rule, [IsNumber()]);
}

/** `true` or `false`. */
export function flag(rule: About = {}): PropertyDecorator {
  return all(rule, [IsBoolean()]);
}

/** Texts. */
export function texts(rule: About & { readonly max?: number } = {}): PropertyDecorator {
  const { max } = rule;
  return all(rule, [
    IsArray(),
    IsString({ each: true }),
    ...(max === undefined ? [] : [MaxLength(max, { each: true })]),
  ]);
}

/** An object whose keys are not fixed; its values are of this type, or anything. */
export function object(rule: About & { readonly values?: 'integer' | 'number' } = {}): PropertyDecorator {
  const { values } = rule;
  return all(rule, [
    IsObject(),
    schema((own) => ({
      ...own,
      additionalProperties: values === undefined ? true : { type: values },
      ...description(rule),
    })),
  ]);
}

/** An object of a class, or a list of them. */
export function nested(
  model: new () => object,
  form: 'object' | 'list',
  rule: About = {},
): PropertyDecorator {
  const $ref = `#/components/schemas/${model.name}`;
  return form === 'object'
    ? all(rule, [IsObject(), ValidateNested(), schema(() => ({ $ref, ...description(rule) }))])
    : all(rule, [
        IsArray(),
        ValidateNested({ each: true }),
        schema(() => ({ type: 'array', items: { $ref }, ...description(rule) })),
      ]);
}

function description({ about }: About): { readonly description?: string } {
  return about === undefined ? {} : { description: about };
}

/** Changes what the OpenAPI document says of a property. */
function schema(change: (own: object) => Record<string, unknown>): PropertyDecorator {
  return JSONSchema(change) as PropertyDecorator;
}

function all(rule: About, decorators: readonly PropertyDecorator[]): PropertyDecorator {
  return (target, key) => {
    if (rule.about !== undefined) schema((own) => ({ ...own, ...description(rule) }))(target, key);
    for (const decorate of decorators) decorate(target, key);
    // Not IsOptional: it would let null pass where only absence may.
    if (rule.optional === true) {
      ValidateIf((_, value) => value !== undefined)(target, key);
    }
  };
}
