import { commandCases } from './command-cases.js';
import { contentCases } from './content-cases.js';
import { databaseCases } from './database-cases.js';
import { entryCases } from './entry-cases.js';
import type { HostileCase } from './hostile-case.js';
import { journalCases } from './journal-cases.js';
import { jsonCases } from './json-cases.js';
import { pathCases } from './path-cases.js';
import { yamlCases } from './yaml-cases.js';

/** Cases of one kind. */
export interface Section {
  readonly title: string;
  readonly cases: readonly HostileCase[];
}

/** Every case, by kind, in the order of the document. */
export const catalogue: readonly Section[] = [
  { title: 'Paths and kinds of entries', cases: sorted([...pathCases, ...entryCases]) },
  { title: 'Bytes of contents', cases: contentCases },
  { title: 'JSON', cases: jsonCases },
  { title: 'YAML', cases: yamlCases },
  { title: 'Journals and times', cases: journalCases },
  { title: 'Database files', cases: databaseCases },
  { title: 'Commands and their surroundings', cases: commandCases },
];

function sorted(cases: readonly HostileCase[]): readonly HostileCase[] {
  return cases.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
