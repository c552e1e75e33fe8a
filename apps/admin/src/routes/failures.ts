import { parseSbiId, type ExecutionKey, type SbiId } from '@deespec/domain';

import type { Part } from '../app.js';
import type { SbiDto } from '../dto/sbi.js';
import { cursorOf, placeOf } from '../http/step-cursor.js';
import { timeOf } from '../http/time.js';
import { executionView, sbiView } from './sbi-view.js';

/** What failed, whichever SBI it belongs to. */
export function failureRoutes(): Part<'listFailures'> {
  return {
    listFailures: async ({ query: { since, limit = 50, cursor }, storage }) => {
      const tree = await storage();
      const failed = await tree.listFailures({
        since: timeOf(since),
        limit,
        ...(cursor === undefined ? {} : { after: keyOf(cursor) }),
      });
      const sbis = new Map<SbiId, SbiDto>();
      for (const { sbiId } of failed)
        if (!sbis.has(sbiId)) sbis.set(sbiId, sbiView(await tree.getSbi(sbiId)));
      const last = failed.length < limit ? undefined : failed.at(-1);
      return {
        body: {
          items: failed.map((one) => ({ sbi: sbis.get(one.sbiId)!, execution: executionView(one) })),
          ...(last === undefined ? {} : { nextCursor: `${last.sbiId}.${cursorOf(last)}` }),
        },
      };
    },
  };
}

function keyOf(cursor: string): ExecutionKey {
  const end = cursor.indexOf('.');
  return { sbiId: parseSbiId(cursor.slice(0, end)), ...placeOf(cursor.slice(end + 1)) };
}
