import type { SbiStatus } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { hasLabel, type SbiSource } from './sbi.js';

/** Up to so many items with a label, each is looked up; among more the list is walked until the page is full. Source: measured. */
const FEW = 4_000;

/** Different texts of `sbi.label` that are looked through for a label. Source: measured, 10 ms. */
const MOST_TEXTS = 10_000;

/** Longest text of `sbi.label` that is loaded, bytes. */
const LONGEST = 4_096;

// From one text of the index to the next different one, however many items have it.
const TEXTS = `WITH RECURSIVE text (label) AS (
    SELECT min(label) FROM sbi WHERE label IS NOT NULL
    UNION ALL
    SELECT (SELECT min(s.label) FROM sbi s WHERE s.label > text.label) FROM text WHERE text.label IS NOT NULL
    LIMIT ${MOST_TEXTS}
  )
  SELECT count(*) AS texts, coalesce(max(octet_length(label)), 0) AS longest,
    json_group_array(label) FILTER (WHERE octet_length(label) <= ${LONGEST} AND ${hasLabel('label')}) AS labels
  FROM text`;

const LABELLED = 'json_each(:labels) l CROSS JOIN sbi s ON s.label = l.value';

/** The items with a label, of one status if it is named, when they are few and can be found without looking at others; else `undefined`. */
export function findLabelled(
  handle: Database,
  label: string,
  status: SbiStatus | undefined,
): SbiSource | undefined {
  const found = handle.prepare(TEXTS).get({ label }) as { texts: number; longest: number; labels: string };
  if (found.texts >= MOST_TEXTS || found.longest > LONGEST) return undefined;
  const { labels } = found;
  const where = status === undefined ? '' : 'WHERE s.status = :status';
  const count = handle
    .prepare(`SELECT count(*) FROM (SELECT 1 FROM ${LABELLED} ${where} LIMIT ${FEW})`)
    .pluck();
  if ((count.get({ labels, status }) as number) >= FEW) return undefined;
  return { from: LABELLED, conditions: [], values: { labels }, isFew: true };
}
