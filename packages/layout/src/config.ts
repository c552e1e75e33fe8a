import type { ConfigEntry, TreeReader, TreeStat } from '@deespec/domain';
import { parseTree } from 'jsonc-parser';

import type { TreeContext } from './context.js';
import { fileTime, readSmall, SETTINGS_BYTES } from './content.js';
import { Fields, isColumnText } from './fields.js';
import { parseJsonObject } from './json-text.js';
import type { ParsedJsonObject } from './json-text.js';
import { quote } from './rules.js';
import type { UnitNotes } from './unit-notes.js';
import { parseYaml } from './yaml-text.js';
import type { ParsedYaml } from './yaml-text.js';

/** What reading a settings or workflow file needs. */
export interface ConfigReading {
  readonly stat: TreeStat;
  readonly context: TreeContext;
  readonly reader: TreeReader;
  readonly notes: UnitNotes;
}

/** The rows of `setting.json` or `workflow.json`; each value in the file's own spelling. */
export function deriveJsonConfig(
  reading: ConfigReading,
  prefix: 'setting' | 'workflow',
): readonly ConfigEntry[] {
  const parsed = readConfig(reading, prefix, parseJsonObject);
  if (parsed?.text === undefined) return [];
  const updatedAt = fileTime(reading.stat.mtimeNs);
  return (parseTree(parsed.text)?.children ?? []).map(({ children }) => {
    const [key, value] = [children![0]!.value as string, children![1]!];
    const valueJson = parsed.text.slice(value.offset, value.offset + value.length);
    return { key: `${prefix}.${key}`, valueJson, updatedAt };
  });
}

/** The rows of `etc/workflow.yaml`, without the keys that `workflow.json` sets as well. */
export function deriveYamlConfig(reading: ConfigReading): readonly ConfigEntry[] {
  const parsed = readConfig(reading, 'workflow', parseYaml);
  if (parsed === undefined) return [];
  const { stat, context, notes } = reading;
  const updatedAt = fileTime(stat.mtimeNs);
  return Object.entries(parsed.value).flatMap(([key, value]) => {
    if (!context.workflowKeys.has(key)) {
      return [{ key: `workflow.${key}`, valueJson: JSON.stringify(value), updatedAt }];
    }
    const actual = `${quote(key)} in both files`;
    notes.add(stat.path, { rule: 'config-ambiguous', expected: 'every key in one file', actual });
    return [];
  });
}

type Readable<P> = Exclude<P, { readonly problem: object }>;

function readConfig<P extends ParsedJsonObject | ParsedYaml>(
  { stat, context, reader, notes }: ConfigReading,
  kind: 'setting' | 'workflow',
  parse: (bytes: Buffer) => P,
): Readable<P> | undefined {
  const content = readSmall(reader, stat, SETTINGS_BYTES);
  const parsed = content.problem === undefined ? parse(content.bytes) : content;
  if (parsed.problem !== undefined) {
    notes.add(stat.path, parsed.problem);
    return undefined;
  }
  const fields = new Fields(parsed.value);
  for (const key of Object.keys(parsed.value)) {
    if (!isColumnText(key)) fields.fail(key, 'column-text', 'a key without NUL and half surrogate pairs');
  }
  const problems = fields.listProblems(context.checks, kind);
  notes.addAll(stat.path, problems);
  return problems.length === 0 ? (parsed as Readable<P>) : undefined;
}
