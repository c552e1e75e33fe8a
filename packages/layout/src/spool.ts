import { MOST_EVENTS, type JournalEvent, type JournalSpool, type SbiId } from '@deespec/domain';

/** Journal events in memory. */
export class MemorySpool implements JournalSpool {
  private readonly events = new Map<SbiId, JournalEvent[]>();

  add(event: JournalEvent): void {
    const known = this.events.get(event.sbiId);
    if (known === undefined) this.events.set(event.sbiId, [event]);
    else known.push(event);
  }

  eventsOf(sbiId: SbiId): readonly JournalEvent[] {
    return (this.events.get(sbiId) ?? []).slice(-MOST_EVENTS);
  }

  countOf(sbiId: SbiId): number {
    return this.events.get(sbiId)?.length ?? 0;
  }

  picksOf(sbiId: SbiId): number {
    return (this.events.get(sbiId) ?? []).filter(({ isPick }) => isPick).length;
  }
}
