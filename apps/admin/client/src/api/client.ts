import createClient from 'openapi-fetch';
import { ApiError } from './api-error.js';
import type { components, paths } from './schema.js';

/** The objects that the server answers with, by the names of its OpenAPI document. */
export type Schemas = components['schemas'];

const tokenKey = 'deespec-token';

/**
 * Keeps the token that every request says beside the cookie: cookies are shared by all ports of this machine, this store is
 * not. It outlives the page, so that a second tab works; `undefined` drops it.
 */
export function setCsrfToken(token: string | undefined): void {
  if (token === undefined) localStorage.removeItem(tokenKey);
  else localStorage.setItem(tokenKey, token);
}

/** The header that a request without the typed client has to carry. */
export function tokenHeader(): Record<string, string> {
  const token = localStorage.getItem(tokenKey);
  return token === null ? {} : { 'X-DeeSpec-Token': token };
}

/** Requests with the types of the OpenAPI document. */
export const api = createClient<paths>({ baseUrl: location.origin, credentials: 'same-origin' });

api.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(tokenHeader())) request.headers.set(name, value);
    return request;
  },
});

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** What was asked for. @throws ApiError with the server's own words when it was refused */
export async function answer<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request;
  if (!response.ok || data === undefined) {
    throw new ApiError(response.status, typeof error === 'object' && error !== null ? error : {});
  }
  return data;
}

/** A text of the tree and what is known of it. */
export interface Content {
  /** Absent when the bytes are no UTF-8: they can be saved, not shown. */
  readonly text?: string;
  readonly sizeBytes: number;
}

/** Above this many bytes a content is offered as a download and not shown. */
const shownLimitBytes = 8_000_000;

/** An answer with the bytes at an address of ours. @throws ApiError when there is none */
async function readBytes(address: string): Promise<Response> {
  const response = await fetch(address, { headers: tokenHeader(), credentials: 'same-origin' });
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => ({}));
  throw new ApiError(response.status, typeof body === 'object' && body !== null ? body : {});
}

/** The bytes at an address of ours, as text where they are UTF-8 without NUL and not too large to be shown. */
export async function readContent(address: string): Promise<Content> {
  const response = await readBytes(address);
  const announced = Number(response.headers.get('content-length') ?? '0');
  const isText = response.headers.get('content-type')?.startsWith('text/') === true;
  if (announced > shownLimitBytes || (!isText && announced > 0)) {
    await response.body?.cancel();
    return { sizeBytes: announced };
  }
  const bytes = await response.arrayBuffer();
  if (!isText || bytes.byteLength > shownLimitBytes) return { sizeBytes: bytes.byteLength };
  return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), sizeBytes: bytes.byteLength };
}

/** Lets the browser save the bytes at an address of ours; a plain link could not carry the token. */
export async function saveBytes(address: string, name: string): Promise<void> {
  const response = await readBytes(address);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
