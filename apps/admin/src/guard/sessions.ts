import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a link can be opened, and how long a session may make no request, milliseconds. Source: docs/admin.md, "Who gets in". */
export const LINK_MS = 60_000;
export const IDLE_MS = 1_800_000;

/** So many browsers at a time; another one ends the session that was quiet longest. */
const MOST_SESSIONS = 16;

/** A browser that opened the link. */
export interface BrowserSession {
  /** Names the session in the audit log; opens nothing. */
  readonly id: string;
  /** Value of the cookie and of the header: both are needed. */
  readonly cookie: string;
  readonly csrfToken: string;
}

interface Kept {
  readonly id: string;
  readonly cookie: Buffer;
  readonly csrfToken: Buffer;
  usedAtMs: number;
}

/** Links that can be opened once, and the sessions of those who did. Secrets are kept as hashes, in memory alone. */
export class Sessions {
  private link: { readonly hash: Buffer; readonly madeAtMs: number } | undefined;
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly nowMs: () => number) {}

  /** A new token for a link; one that was made before and not used opens nothing any more. */
  makeLinkToken(): string {
    const token = secret();
    this.link = { hash: hashOf(token), madeAtMs: this.nowMs() };
    return token;
  }

  /** A session for a token that was not used and is not too old; `undefined` for any other. */
  open(token: string): BrowserSession | undefined {
    const { link } = this;
    if (link === undefined || !timingSafeEqual(link.hash, hashOf(token))) return undefined;
    this.link = undefined;
    if (this.nowMs() - link.madeAtMs > LINK_MS) return undefined;
    const session = { id: randomBytes(6).toString('hex'), cookie: secret(), csrfToken: secret() };
    this.makeRoom();
    this.kept.set(session.id, {
      id: session.id,
      cookie: hashOf(session.cookie),
      csrfToken: hashOf(session.csrfToken),
      usedAtMs: this.nowMs(),
    });
    return session;
  }

  /** The id of the session that both secrets belong to; it goes on for another while then. */
  use(cookie: string, csrfToken: string): string | undefined {
    const session = this.find(cookie, csrfToken);
    if (session === undefined) return undefined;
    session.usedAtMs = this.nowMs();
    return session.id;
  }

  /** True while a session has not ended. */
  isOpen(id: string): boolean {
    const session = this.kept.get(id);
    return session !== undefined && this.nowMs() - session.usedAtMs <= IDLE_MS;
  }

  end(id: string): void {
    this.kept.delete(id);
  }

  private find(cookie: string, csrfToken: string): Kept | undefined {
    const [first, second] = [hashOf(cookie), hashOf(csrfToken)];
    let found: Kept | undefined;
    // All of them, whichever matches: how long it takes says nothing.
    for (const session of this.kept.values()) {
      const isCookie = timingSafeEqual(session.cookie, first);
      const isToken = timingSafeEqual(session.csrfToken, second);
      if (isCookie && isToken && this.isOpen(session.id)) found = session;
    }
    return found;
  }

  private makeRoom(): void {
    const byAge = [...this.kept.values()].sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { id } of byAge.filter((one) => !this.isOpen(one.id))) this.kept.delete(id);
    if (this.kept.size >= MOST_SESSIONS) this.kept.delete(byAge[0]!.id);
  }
}

/** 256 bits, as 43 characters that an address can hold. */
export function secret(): string {
  return randomBytes(32).toString('base64url');
}

export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
