import type { StorageMode } from '@deespec/domain';
import { migrate, setMode } from '@deespec/storage';
import { generateTree } from '@deespec/trees';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startAdmin, type Admin, type AdminOptions } from '../src/index.js';

const directories: string[] = [];
const admins: Admin[] = [];

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-admin-'));
  directories.push(directory);
  return directory;
}

/** Ends what a test started, and removes what it made. */
export async function cleanUp(): Promise<void> {
  for (const admin of admins.splice(0)) await admin.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** A small generated tree in mode `file`. */
export function fileHome(sbis = 4): string {
  const home = join(temporaryDirectory(), 'proj', '.deespec');
  generateTree(home, { layout: 'A', sbis, seed: 7 });
  return home;
}

const templates = new Map<StorageMode, string>();

/** A small tree that was migrated and brought into `mode`; a fresh copy for each call. */
export async function homeIn(mode: StorageMode): Promise<string> {
  if (!templates.has(mode)) {
    const home = join(mkdtempSync(join(tmpdir(), 'deespec-admin-template-')), '.deespec');
    generateTree(home, { layout: 'A', sbis: 4, seed: 7 });
    await migrate({ home });
    if (mode !== 'file') await setMode({ home, mode });
    templates.set(mode, home);
  }
  const home = join(temporaryDirectory(), 'proj', '.deespec');
  cpSync(templates.get(mode)!, home, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return home;
}

export function removeTemplates(): void {
  for (const home of templates.values()) rmSync(join(home, '..'), { recursive: true, force: true });
}

/** Starts a server; what it says goes to `said`. */
export async function start(home: string, options: Partial<AdminOptions> = {}): Promise<Started> {
  const said: string[] = [];
  const admin = await startAdmin({ home, user: 'tester', onProblem: (text) => said.push(text), ...options });
  admins.push(admin);
  return { admin, said, port: Number(new URL(admin.url).port) };
}

export interface Started {
  readonly admin: Admin;
  readonly port: number;
  readonly said: string[];
}

/** An answer, whole. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an answer is read as a client reads it
  readonly json: any;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** JSON, with its content type. */
  readonly json?: unknown;
}

/** One request over a connection of its own, with nothing added that it does not name. */
export function ask(port: number, path: string, asked: Asked = {}): Promise<Answered> {
  const { method = 'GET', headers = {}, json } = asked;
  const body = json === undefined ? asked.body : JSON.stringify(json);
  const sent = {
    host: `127.0.0.1:${port}`,
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers: sent, agent: false, setHost: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve(answered(incoming.statusCode!, incoming.headers, Buffer.concat(chunks))),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function answered(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answered {
  const text = bytes.toString('utf8');
  const isJson = /^application\/json/u.test(headers['content-type'] ?? '') && text !== '';
  return { status, headers, text, bytes, json: isJson ? (JSON.parse(text) as unknown) : undefined };
}

/** What a browser sends once it has opened the link. */
export interface Browser {
  readonly headers: Readonly<Record<string, string>>;
  /** The token of the link, used now. */
  readonly linkToken: string;
  get(path: string): Promise<Answered>;
  send(
    method: string,
    path: string,
    ...rest: [json?: unknown, headers?: Record<string, string>]
  ): Promise<Answered>;
}

/** Opens the link of a server as a browser does. */
export async function enter({ admin, port }: Pick<Started, 'admin' | 'port'>): Promise<Browser> {
  const linkToken = tokenOf(admin.makeLink());
  const opened = await ask(port, '/api/session', { method: 'POST', json: { token: linkToken } });
  const cookie = opened.headers['set-cookie']![0]!.split(';', 1)[0]!;
  const headers = {
    cookie,
    'x-deespec-token': opened.json.csrfToken as string,
    origin: `http://127.0.0.1:${port}`,
    'sec-fetch-site': 'same-origin',
  };
  return {
    headers,
    linkToken,
    get: (path) => ask(port, path, { headers }),
    send: (method, path, ...[json, more = {}]) =>
      ask(port, path, { method, headers: { ...headers, ...more }, ...(json === undefined ? {} : { json }) }),
  };
}

export function tokenOf(link: string): string {
  return new URL(link).hash.replace('#token=', '');
}

/** A job that has ended. */
export async function jobEnd(browser: Browser, id: string): Promise<Answered['json']> {
  for (;;) {
    const { json } = await browser.get(`/api/jobs/${id}`);
    if (json.state !== 'running') return json;
    await sleep(50);
  }
}

interface Described {
  readonly method: string;
  readonly path: string;
  readonly access: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly hasBody: boolean;
  readonly type: string | undefined;
}

/** Every route that the committed document has: one that is added is walked, too. */
export function routesOf(): readonly Described[] {
  const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')) as {
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the document is read as a client reads it
    paths: Record<string, Record<string, any>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({
      method: method.toUpperCase(),
      path,
      access: one['x-access'],
      parameters: one.parameters ?? [],
      hasBody: one.requestBody !== undefined,
      type: Object.keys(one.responses['200']?.content ?? {})[0],
    })),
  );
}

/** An address of a route, with something in each of its parameters. */
export function addressOf(path: string): string {
  return path
    .replace('{id}', 'SBI-01M810CC01J2AAPQZVYRK1YMJR')
    .replace('{fileId}', '0123456789abcdef')
    .replace('{side}', 'kept')
    .replace('{key}', 'setting.x');
}
