/** A value as JSON can say it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object as JSON can say it. Own keys only; a key may be `__proto__`, so build it with `Object.fromEntries`. */
export interface JsonObject {
  readonly [key: string]: Json;
}
