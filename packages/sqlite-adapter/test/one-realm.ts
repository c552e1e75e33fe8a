/**
 * Jest gives each test file a realm of its own; Node and native modules throw errors of another one, so that
 * `instanceof Error` is false for them here and true in a program. Importing this makes it tell the same in both.
 */
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, value: unknown): boolean {
    if (this !== Error) return Function.prototype[Symbol.hasInstance].call(this as never, value);
    return hasErrorPrototype(value);
  },
});

function hasErrorPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Object.prototype.toString.call(value) === '[object Error]' || isErrorPrototype(prototype);
}

function isErrorPrototype(prototype: unknown): boolean {
  if (typeof prototype !== 'object' || prototype === null) return false;
  const { constructor } = prototype as { constructor?: { name?: string } };
  return constructor?.name === 'Error' || isErrorPrototype(Object.getPrototypeOf(prototype));
}
