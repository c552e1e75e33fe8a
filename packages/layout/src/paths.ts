import type { TreePath } from '@deespec/domain';

/** What a path is, by its name alone. Directories below `specs/sbi` keep their byte string in `directory`. */
export type PathRole =
  | {
      readonly role: 'spec' | 'state' | 'meta' | 'sbi-file' | 'sbi-directory';
      readonly directory: string;
    }
  | { readonly role: 'artifact'; readonly directory: string; readonly step: string; readonly turn: number }
  | { readonly role: 'setting' | 'workflow' | 'etc-workflow' | 'journal' | 'go-state' | 'other' }
  | {
      readonly role: 'transaction-manifest' | 'transaction-intent' | 'transaction-commit';
      readonly directory: TreePath;
    };

/** What `path` is, by its name alone; nothing is read. */
export function classifyPath(path: TreePath): PathRole {
  throw new Error(`not built: ${path}`);
}
