import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { JournalEvent, SbiId } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { JOURNAL_START, MemorySpool, readContext, readJournalTail } from '../src/index.js';
import type { JournalPlace, JournalTail } from '../src/index.js';
import { ID, JOURNAL, journal, line, OTHER_ID, pick, treeOf } from './support.js';

function tail(
  text: string,
  start: JournalPlace = JOURNAL_START,
  before: readonly JournalEvent[] = [],
): JournalTail & { readonly events: readonly JournalEvent[] } {
  const events: JournalEvent[] = [];
  const picksOf = (id: SbiId): number => before.filter(({ sbiId, isPick }) => sbiId === id && isPick).length;
  const take = (event: JournalEvent): void => void events.push(event);
  return { events, ...readJournalTail([Buffer.from(text)], { checks, start, picksOf, take }) };
}

const pickOther = pick({ artifacts: [{ type: 'pick', id: OTHER_ID }] });

describe('readJournalTail', () => {
  test('reads on from any line as if it had begun at the first', () => {
    const someLine = fc.oneof(
      fc.constantFrom<object | string>(pick(), pickOther, line(), line({ turn: 3, error: 'é' })),
      fc.constantFrom('', ' \r', 'garbage', '{"a":1}'),
    );
    fc.assert(
      fc.property(fc.array(someLine, { maxLength: 9 }), fc.nat(9), (lines, cut) => {
        const [first, rest] = [journal(...lines.slice(0, cut)), journal(...lines.slice(cut))];
        const spool = new MemorySpool();
        readContext(treeOf({ [JOURNAL]: first + rest }), { checks, spool });

        const head = tail(first);
        const { events, end } = tail(rest, head.end, head.events);

        const all = [...head.events, ...events];
        expect([ID, OTHER_ID].map((id) => all.filter(({ sbiId }) => sbiId === id))).toEqual(
          [ID, OTHER_ID].map((id) => spool.eventsOf(id)),
        );
        expect(end).toEqual({ line: lines.length + 1, offset: Buffer.byteLength(first + rest) });
      }),
    );
  });

  test('leaves a last line without line feed for the next time', () => {
    const whole = journal(pick(), line());
    const torn = whole.slice(0, -1);

    const { events, isClean, end } = tail(torn);

    expect(events).toHaveLength(1);
    expect(isClean).toBe(true);
    expect(end).toEqual({ line: 2, offset: journal(pick()).length });
    expect(tail(whole.slice(end.offset), end, events).events).toMatchObject([{ line: 2, run: 1 }]);
    expect(tail('{"torn')).toEqual({ events: [], isClean: true, end: JOURNAL_START });
  });

  test.each([
    ['no line', '', true],
    ['a blank line', '\n', true],
    ['a line of no SBI', journal(line({ artifacts: [] })), true],
    ['garbage', 'x\n', false],
    ['two objects', `${JSON.stringify(line())}${JSON.stringify(line())}\n`, false],
    ['an unknown status', journal(line({ status: 'BUSY' })), false],
    ['a line too long', `"${'x'.repeat(1_048_576)}"\n`, false],
    ['zero bytes', '\0\0\n', false],
  ])('says whether every line is interpreted: %s', (_, text, isClean) => {
    expect(tail(text).isClean).toBe(isClean);
    expect(tail(journal(pick()) + text + journal(line())).isClean).toBe(isClean);
  });

  test('counts a run on from the picks before it', () => {
    expect(
      tail(journal(line(), pick(), line()), { line: 8, offset: 99 }, tail(journal(pick())).events).events,
    ).toMatchObject([
      { run: 1, line: 8, offset: 99 },
      { run: 2, line: 9 },
      { run: 2, line: 10 },
    ]);
  });
});
