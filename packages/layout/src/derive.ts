import { baseName, displayPath, MOST_EVENTS } from '@deespec/domain';
import type { ConfigEntry, DerivedUnit, JournalEvent, SbiId, TreeReader, TreeStat } from '@deespec/domain';

import { deriveJsonConfig, deriveYamlConfig } from './config.js';
import { readContext } from './context.js';
import type { ContextOptions, TreeContext } from './context.js';
import { deriveExecutions } from './execution.js';
import { classifyPath, JOURNAL, SBI_ROOT, sbiOfPath } from './paths.js';
import { findingOf, quote, reasonOf } from './rules.js';
import type { Problem } from './rules.js';
import { deriveSbi } from './sbi.js';
import { readSbiSource } from './sbi-source.js';
import { deriveAudit, noteUnfinished } from './transaction.js';
import { UnitNotes } from './unit-notes.js';
import { groupUnits } from './units.js';
import type { TreeUnit } from './units.js';

/**
 * What one unit means: rows, findings, and entries that are kept but not interpreted. Depends on nothing but the unit's
 * bytes and the context. Never changes anything, never throws for what is in a file.
 *
 * @throws StorageError of `reader` when bytes cannot be had
 */
export function deriveUnit(unit: TreeUnit, context: TreeContext, reader: TreeReader): DerivedUnit {
  switch (unit.kind) {
    case 'sbi':
      return deriveSbiUnit(unit, context, reader);
    case 'transaction': {
      const notes = new UnitNotes();
      const audit = deriveAudit({ unit, context, reader, notes });
      return { ...rowless(unit, notes), ...(audit === undefined ? {} : { audit }) };
    }
    case 'entry':
      return deriveEntryUnit(unit, context, reader);
  }
}

/** Derives a whole tree, unit by unit in scan order. Streams: memory holds one unit, and what `readContext` holds. */
export function* deriveTree(reader: TreeReader, options: ContextOptions): Iterable<DerivedUnit> {
  const context = readContext(reader, options);
  for (const unit of groupUnits(reader.scan())) yield deriveUnit(unit, context, reader);
}

function deriveSbiUnit(unit: TreeUnit, context: TreeContext, reader: TreeReader): DerivedUnit {
  const { sbiId, duplicateOf } = unit;
  if (sbiId === undefined) {
    const expected = 'SBI-<26 of 0-9 A-Z>, or that and _<slug>';
    return quarantineAll(unit, {
      rule: 'sbi-id-format',
      expected,
      actual: quote(displayPath(baseName(unit.path))),
    });
  }
  if (duplicateOf !== undefined) {
    const actual = `also ${displayPath(duplicateOf)}`;
    return quarantineAll(unit, {
      rule: 'sbi-duplicate-directory',
      expected: 'one directory for an id',
      actual,
    });
  }
  const notes = new UnitNotes(sbiId);
  const source = readSbiSource({ unit, sbiId, context, reader, notes });
  if (!source.isReadable) return rowless(unit, notes);
  const events = eventsOf(sbiId, context, notes);
  const { state, meta, hasSpec, steps } = source;
  if (state === undefined && meta === undefined && !hasSpec && steps.length === 0 && events.length === 0) {
    notes.add(unit.path, { rule: 'sbi-empty', expected: 'a spec.md', actual: 'nothing that is interpreted' });
    return rowless(unit, notes);
  }
  const sbi = deriveSbi({ sbiId, source, events, entries: unit.entries, context });
  const executions = deriveExecutions({ sbiId, source, events, context, reader, notes });
  const findings = [...notes.findings, ...context.checks.rules(sbi, executions)];
  return { ...rowless(unit, notes), sbi, executions, findings };
}

/** The events that are interpreted; notes that there are more. */
function eventsOf(sbiId: SbiId, { spool }: TreeContext, notes: UnitNotes): readonly JournalEvent[] {
  const events = spool.eventsOf(sbiId);
  const count = events.length < MOST_EVENTS ? events.length : spool.countOf(sbiId);
  if (count > events.length) {
    notes.add(JOURNAL, {
      rule: 'journal-many-lines',
      expected: `at most ${MOST_EVENTS} lines of one SBI`,
      actual: `${count} lines, of which the last ${events.length} count`,
    });
  }
  return events;
}

/** Keeps a whole directory without interpreting any of it. */
function quarantineAll(unit: TreeUnit, problem: Problem): DerivedUnit {
  const notes = new UnitNotes();
  notes.findings.push(findingOf(problem, unit.path, unit.sbiId));
  for (const { path } of unit.entries) notes.quarantined.set(path, reasonOf(problem));
  return rowless(unit, notes);
}

function deriveEntryUnit(unit: TreeUnit, context: TreeContext, reader: TreeReader): DerivedUnit {
  const notes = new UnitNotes();
  const stat = unit.entries[0]!;
  noteMissingDirectory(stat, notes);
  if (isUnfinished(unit)) noteUnfinished(unit.path, notes);
  const config = deriveConfig({ stat, context, reader, notes });
  const reason = context.quarantined.get(unit.path);
  if (reason !== undefined) notes.quarantined.set(unit.path, reason);
  notes.findings.push(...(context.findings.get(unit.path) ?? []));
  return { ...rowless(unit, notes), config };
}

function deriveConfig(reading: Parameters<typeof deriveYamlConfig>[0]): readonly ConfigEntry[] {
  const { role } = classifyPath(reading.stat.path);
  if (role === 'setting' || role === 'workflow') return deriveJsonConfig(reading, role);
  return role === 'etc-workflow' ? deriveYamlConfig(reading) : [];
}

const directories = new Set(['specs', SBI_ROOT, 'var', 'etc', 'journal']);

/** A file or symlink in place of a directory hides everything that should be below it. */
function noteMissingDirectory({ path, kind }: TreeStat, notes: UnitNotes): void {
  const isExpected = directories.has(path) || isSbiDirectory(path);
  if (kind === 'directory' || !isExpected) return;
  notes.add(path, { rule: 'not-a-directory', expected: 'a directory', actual: `a ${kind}` });
}

function isSbiDirectory(path: string): boolean {
  return path.lastIndexOf('/') === SBI_ROOT.length && sbiOfPath(path) !== undefined;
}

const transaction = /^var\/txn\/txn_[^/]+$/u;

function isUnfinished({ path, entries }: TreeUnit): boolean {
  if (!transaction.test(path)) return false;
  const has = (name: string): boolean => entries.some((entry) => entry.path === `${path}/${name}`);
  return has('status.intent') && !has('status.commit');
}

function rowless({ kind, path, entries }: TreeUnit, notes: UnitNotes): DerivedUnit {
  const { findings, quarantined } = notes;
  return { kind, path, entries, executions: [], config: [], findings, quarantined };
}
