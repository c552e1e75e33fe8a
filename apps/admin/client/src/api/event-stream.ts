import { tokenHeader } from './client.js';

/** One event of the server. */
export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

interface Listener {
  readonly onOpen: () => void;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onLost: () => void;
}

function parseEvent(block: string): ServerEvent | undefined {
  let name = 'message';
  let data = '';
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    if (line.startsWith('data:')) data += line.slice(5).trim();
  }
  return data === '' ? undefined : { name, data: JSON.parse(data) as unknown };
}

/** Reads events until the stream ends; true when the server said that it ends for good. */
async function readEvents(signal: AbortSignal, listener: Listener): Promise<boolean> {
  const response = await fetch('/api/events', { headers: tokenHeader(), signal });
  if (!response.ok || response.body === null) return response.status === 401;
  listener.onOpen();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const event of blocks.map(parseEvent)) {
      if (event?.name === 'bye' && (event.data as { reason?: string }).reason === 'session') return true;
      if (event !== undefined) listener.onEvent(event);
    }
  }
}

const longestWaitMs = 10_000;

/**
 * Listens to the events of the server and comes back when the connection is lost, after 1 to 10 seconds. An `EventSource`
 * would do the same but cannot carry the token. @returns ends it
 */
export function listenToServer(listener: Listener): () => void {
  const ending = new AbortController();
  let waitMs = 1000;
  const watch = async () => {
    while (!ending.signal.aborted) {
      const ended = await readEvents(ending.signal, {
        ...listener,
        onOpen: () => {
          waitMs = 1000;
          listener.onOpen();
        },
      }).catch(() => false);
      if (ending.signal.aborted) return;
      listener.onLost();
      if (ended) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  };
  void watch();
  return () => ending.abort();
}
