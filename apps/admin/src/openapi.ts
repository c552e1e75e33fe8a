import { IS_INT, MAX, MIN } from 'class-validator';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';

import { operations, type Model, type Operation } from './contract.js';
// Schemas that no route names by itself.
import './dto/error.js';

type Json = Record<string, unknown>;

const PREFIX = '#/components/schemas/';

/** The HTTP API as an OpenAPI 3.1 document, made of the routes and the classes that check them. */
export function openApiDocument(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'DeeSpec admin',
      version,
      description:
        'The admin app of DeeSpec Storage on localhost. Every request names a host of the server; all but POST /api/session ' +
        'need a session (cookie and X-DeeSpec-Token) or a bearer token. docs/admin.md says how.',
    },
    security: [{ cookie: [], token: [] }, { bearer: [] }],
    paths: paths(),
    components: {
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: 'deespec_session' },
        token: { type: 'apiKey', in: 'header', name: 'X-DeeSpec-Token' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: schemas(),
    },
  };
}

/** By itself the library calls a whole number a number, and one with a bound as well. */
const converters = {
  [IS_INT]: { type: 'integer' },
  [MIN]: ({ constraints }: Constraint) => bound('minimum', constraints[0]),
  [MAX]: ({ constraints }: Constraint) => bound('maximum', constraints[0]),
} as const;

interface Constraint {
  readonly constraints: readonly unknown[];
}

/** What JavaScript holds exactly is no bound that anybody has to know. */
function bound(name: 'minimum' | 'maximum', value: unknown) {
  return Math.abs(value as number) === Number.MAX_SAFE_INTEGER ? {} : { [name]: value as number };
}

function schemas(): Json {
  const all = validationMetadatasToSchemas({
    refPointerPrefix: PREFIX,
    additionalConverters: converters,
  }) as Json;
  const names = Object.keys(all).filter((name) => !/(Query|Params)$/u.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, closed(all[name] as Json)]));
}

/** Nothing is sent or taken that the document does not name. */
function closed(schema: Json): Json {
  return { ...schema, additionalProperties: false };
}

function paths(): Json {
  const found: Record<string, Json> = {};
  for (const [name, operation] of Object.entries(operations) as [string, Operation][]) {
    const methods = (found[operation.path] ??= {});
    methods[operation.method.toLowerCase()] = describe(name, operation);
  }
  return found;
}

function describe(name: string, operation: Operation): Json {
  const { summary, access, params, query, body, ifMatch } = operation;
  const parameters = [
    ...parametersOf(params, 'path'),
    ...parametersOf(query, 'query'),
    ...(ifMatch ? [{ name: 'If-Match', in: 'header', required: true, schema: { type: 'string' } }] : []),
  ];
  return {
    operationId: name,
    summary,
    'x-access': access,
    ...(access === 'entry' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(refTo(body)) } }),
    responses: {
      ...answer(operation),
      default: { description: 'What went wrong', content: json({ $ref: `${PREFIX}ErrorDto` }) },
    },
  };
}

function answer({ response }: Operation): Json {
  switch (response) {
    case 'nothing':
      return { '204': { description: 'Done' } };
    case 'bytes':
      return ok('application/octet-stream', { type: 'string', format: 'binary' });
    case 'text':
      return ok('text/plain', { type: 'string' });
    case 'events':
      return ok('text/event-stream', { type: 'string' });
    case 'document':
      return ok('application/json', { type: 'object' });
    default:
      return ok('application/json', refTo(response));
  }
}

function ok(type: string, schema: Json): Json {
  return { '200': { description: 'Done', content: { [type]: { schema } } } };
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function refTo(model: Model): Json {
  return { $ref: PREFIX + model.name };
}

function parametersOf(model: Model | undefined, place: 'path' | 'query'): Json[] {
  if (model === undefined) return [];
  const all = validationMetadatasToSchemas({
    additionalConverters: converters,
  }) as Record<string, { readonly properties: Record<string, Json>; readonly required?: string[] }>;
  const { properties, required = [] } = all[model.name]!;
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}
