export { CHAIN_START, chainAudit, isChained } from './audit-chain.js';
export { earlierRunPath, isStepFile } from './change/earlier-run.js';
export type { PlannedEdit } from './change/edit-list.js';
export type { EditedTreeOptions } from './change/edited-tree.js';
export { Overlay } from './change/overlay.js';
export type { ReplacedFile } from './change/overlay.js';
export { contextOf, goStateOf, readContext } from './context.js';
export type { ContextOptions, GoState, TreeContext } from './context.js';
export { deriveTree, deriveUnit } from './derive.js';
export { JOURNAL_START } from './journal-lines.js';
export type { JournalPlace } from './journal-lines.js';
export { readJournalTail } from './journal-tail.js';
export type { JournalTail, TailOptions } from './journal-tail.js';
export { readSettingMode, removeJsonKey, setJsonKey } from './json-edit.js';
export {
  classifyPath,
  GO_STATE,
  JOURNAL,
  SBI_ROOT,
  sbiIdOfDirectory,
  SETTINGS,
  TRANSACTION_ROOT,
} from './paths.js';
export type { PathRole } from './paths.js';
export { layoutRules } from './rules.js';
export type { LayoutRule } from './rules.js';
export { MemorySpool } from './spool.js';
export { groupUnits } from './units.js';
export type { TreeUnit } from './units.js';
export { setYamlKey } from './yaml-edit.js';
