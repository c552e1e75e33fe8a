import { artifactSteps, baseName, isSbiId } from '@deespec/domain';
import type { SbiId, TreePath } from '@deespec/domain';

/** What a path is, by its name alone. */
export type PathRole =
  | { readonly role: 'spec' | 'state' | 'meta'; readonly sbiId: SbiId }
  /** A step's file; `turn` is counted from 1, and so is `run`, which only the kept file of an earlier run has. */
  | {
      readonly role: 'artifact';
      readonly sbiId: SbiId;
      readonly step: string;
      readonly turn: number;
      readonly run?: number;
    }
  | { readonly role: 'manifest' | 'intent' | 'commit' }
  | { readonly role: 'setting' | 'workflow' | 'etc-workflow' | 'journal' | 'go-state' | 'other' };

/** Where the interpreted files of the root stand. */
export const SETTING = 'setting.json' as TreePath;
export const WORKFLOW = 'workflow.json' as TreePath;
export const ETC_WORKFLOW = 'etc/workflow.yaml' as TreePath;
export const JOURNAL = 'var/journal.ndjson' as TreePath;
export const GO_STATE = 'var/state.json' as TreePath;

/** The directory whose child directories are SBIs: no other entry gives the row of an SBI or of an execution. */
export const SBI_ROOT = 'specs/sbi' as TreePath;

/** The directory of the finished transactions: no other entry gives a row of the audit log. */
export const TRANSACTION_ROOT = 'journal' as TreePath;

/** The files that give settings. */
export const SETTINGS: readonly TreePath[] = [SETTING, WORKFLOW, ETC_WORKFLOW];

const roots: Readonly<Record<string, PathRole>> = {
  [SETTING]: { role: 'setting' },
  [WORKFLOW]: { role: 'workflow' },
  [ETC_WORKFLOW]: { role: 'etc-workflow' },
  [JOURNAL]: { role: 'journal' },
  [GO_STATE]: { role: 'go-state' },
};
const transactionFile = /^journal\/\d{4}-\d\d-\d\d\/[^/]+\/(manifest\.json|status\.intent|status\.commit)$/u;
const transactionRoles = {
  'manifest.json': 'manifest',
  'status.intent': 'intent',
  'status.commit': 'commit',
} as const;
const sbiFile = /^specs\/sbi\/([^/]+)\/(?:histories\/run_([1-9][0-9]{0,8})\/)?([^/]+)$/u;
// At most 15 digits: a turn is a safe integer.
const artifact = new RegExp(`^(${artifactSteps.join('|')})_([1-9][0-9]{0,14})\\.md$`, 'u');
const other: PathRole = { role: 'other' };

/** What `path` is, by its name alone; nothing is read. Source: docs/formats.md. */
export function classifyPath(path: TreePath): PathRole {
  if (Object.hasOwn(roots, path)) return roots[path]!;
  const transaction = transactionFile.exec(path)?.[1];
  if (transaction !== undefined) {
    return { role: transactionRoles[transaction as keyof typeof transactionRoles] };
  }
  const match = sbiFile.exec(path);
  const sbiId = match === null ? undefined : sbiIdOfDirectory(match[1]!);
  if (sbiId === undefined) return other;
  const [, , run, name] = match!;
  return run === undefined ? classifySbiFile(sbiId, name!) : classifyEarlier(sbiId, Number(run), name!);
}

/** Where the step file of an earlier run is kept when a later run writes one of the same name. */
export function earlierPath(directory: TreePath, run: number, name: string): TreePath {
  return `${directory}/histories/run_${run}/${name}` as TreePath;
}

/** The id in the name of an SBI's directory: `<id>` or `<id>_<slug>`. */
export function sbiIdOfDirectory(name: string): SbiId | undefined {
  const id = name.slice(0, 30);
  if (!isSbiId(id)) return undefined;
  return name.length === 30 || (name[30] === '_' && name.length > 31) ? id : undefined;
}

/** The SBI a path lies in or is the directory of, with the path's file when it is directly inside. */
export function sbiOfPath(path: string): { sbiId: SbiId; file?: string } | undefined {
  if (!path.startsWith(`${SBI_ROOT}/`)) return undefined;
  const start = SBI_ROOT.length + 1;
  const slash = path.indexOf('/', start);
  const sbiId = sbiIdOfDirectory(path.slice(start, slash < 0 ? undefined : slash));
  if (sbiId === undefined) return undefined;
  const file = slash < 0 ? '' : path.slice(slash + 1);
  return file === '' || file.includes('/') ? { sbiId } : { sbiId, file };
}

/** Step and turn in the name of a step's file. */
export function parseArtifactName(name: string): { step: string; turn: number } | undefined {
  const match = artifact.exec(name);
  return match === null ? undefined : { step: match[1]!, turn: Number(match[2]) };
}

/** True for names that mark a directory as an SBI's, whatever the directory is called. */
export function isSbiMark(path: TreePath): boolean {
  return ['spec.md', 'meta.yml', 'meta.yaml', 'state.json'].includes(baseName(path));
}

function classifySbiFile(sbiId: SbiId, name: string): PathRole {
  if (name === 'spec.md') return { role: 'spec', sbiId };
  if (name === 'state.json') return { role: 'state', sbiId };
  if (name === 'meta.yml' || name === 'meta.yaml') return { role: 'meta', sbiId };
  const step = parseArtifactName(name);
  return step === undefined ? other : { role: 'artifact', sbiId, ...step };
}

function classifyEarlier(sbiId: SbiId, run: number, name: string): PathRole {
  const step = parseArtifactName(name);
  return step === undefined ? other : { role: 'artifact', sbiId, ...step, run };
}
