import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { listenToServer, type ServerEvent } from './event-stream.js';
import { putJob, type Job } from './jobs.js';

/** Whether changes arrive. */
export type EventState = 'open' | 'lost';

/** What is asked for again when an area has changed; the names are the first words of the keys of the cache. */
const areaKeys: Readonly<Record<string, readonly string[]>> = {
  status: ['status', 'schema'],
  sbis: ['sbis', 'status'],
  audit: ['audit'],
  config: ['config'],
  conflicts: ['conflicts', 'status'],
  quarantine: ['quarantine'],
  backups: ['backups', 'status'],
};

function renew(client: QueryClient, areas: readonly string[]): void {
  const keys = new Set(areas.flatMap((area) => areaKeys[area] ?? []));
  for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
}

/** Everything but the session: asking for that would show the page anew. */
function renewAll(client: QueryClient): void {
  void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
}

function take(client: QueryClient, event: ServerEvent): void {
  if (event.name === 'change') renew(client, (event.data as { areas: string[] }).areas);
  if (event.name !== 'job') return;
  const job = event.data as Job;
  putJob(client, job);
  if (job.state !== 'running') renewAll(client);
}

/** Keeps every page in step with the tree while `live`; what changed during a pause or a lost connection is asked for after it. */
export function useEvents(live: boolean): EventState {
  const client = useQueryClient();
  const [state, setState] = useState<EventState>('open');
  useEffect(() => {
    if (!live) return undefined;
    let missed = false;
    const end = listenToServer({
      onOpen: () => {
        if (missed) renewAll(client);
        missed = false;
        setState('open');
      },
      onEvent: (event) => take(client, event),
      onLost: () => {
        missed = true;
        setState('lost');
      },
    });
    return () => {
      end();
      renewAll(client);
    };
  }, [live, client]);
  return state;
}
