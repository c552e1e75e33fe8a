export { ActivityCount } from './activity.js';
export type { Activity, DayOfWork, EndedExecution, StepTime } from './activity.js';
export type { AuditEntry, AuditFilter, AuditNote, AuditRecord } from './audit.js';
export type { Change, NewExecution, NewSbi, SbiFields } from './change.js';
export type { Checks, ShapeKind, ShapeProblem } from './checks.js';
export type { ConfigEntry } from './config.js';
export type { DerivedUnit } from './derived.js';
export { assertNever, errorKinds, invariant, isStorageError, StorageError } from './errors.js';
export type { ErrorCode, ErrorDetails, ErrorKind, StorageErrorOptions } from './errors.js';
export { artifactSteps, decisions, endOf, hasFailed, isDecision } from './execution.js';
export type { Decision, Execution, ExecutionFilter, ExecutionKey, FailureFilter } from './execution.js';
export type { Finding, Severity } from './finding.js';
export type { Index } from './index-queries.js';
export { MOST_EVENTS } from './journal.js';
export type { JournalEvent, JournalSpool } from './journal.js';
export type { Json, JsonObject } from './json.js';
export { modeMeanings, parseMode, storageModes } from './mode.js';
export type { StorageMode } from './mode.js';
export type {
  AccountRow,
  Conflict,
  Debt,
  DiskStat,
  FileDebt,
  Ledger,
  ProjectedFiles,
  Projection,
  Settlement,
} from './projection.js';
export { splitReason } from './quarantine.js';
export type { QuarantinedEntry, QuarantineFilter } from './quarantine.js';
export { isSbiId, isSbiStatus, parseSbiId, sbiIdTimeMs, sbiOrders, sbiStatuses } from './sbi.js';
export type { IndexFilter, Sbi, SbiFilter, SbiId, SbiOrder, SbiStatus } from './sbi.js';
export { sbiComparer } from './sbi-order.js';
export type { SbiOrdering } from './sbi-order.js';
export { holdsWords, isText, searchedFiles, searchedTitle } from './search/searched.js';
export type { SearchedParts, SearchedSbi, SearchedUnit } from './search/searched.js';
export { snippetOf } from './search/snippet.js';
export type { SnippetPart } from './search/snippet.js';
export { receivedError, sendableError } from './sent-error.js';
export type { SentError } from './sent-error.js';
export { parseSearch, WordSearch, wordsOf } from './search/words.js';
export type { SearchWord } from './search/words.js';
export { limitHint, systemCode, systemError } from './system-error.js';
export type { AppliedScript, SchemaScript, SchemaStore } from './schema-store.js';
export type {
  Claim,
  ClaimOptions,
  SbiFile,
  SbiInput,
  Storage,
  StorageReads,
  StorageTx,
  StorageWrites,
  StoredConfig,
  StoredSbi,
} from './storage.js';
export { parseTime, timeFromDate, timeFromNs, timeToNs } from './time.js';
export { CHUNK_BYTES } from './tree-loader.js';
export type { LoadContent, LoadEntry, TreeLoader, UnitChange } from './tree-loader.js';
export {
  baseName,
  displayPath,
  joinPath,
  parentPath,
  pathFromBytes,
  pathFromDisplay,
  pathFromText,
  pathToBytes,
} from './tree-path.js';
export type { TreePath } from './tree-path.js';
export { DIRECTORY_SHA256, putIf, removeIf } from './tree-store.js';
export type {
  Chunks,
  EditPlan,
  EditResult,
  EntryKind,
  Expected,
  TreeEdit,
  TreeEntry,
  TreeReader,
  TreeStat,
  TreeStore,
  TreeVersion,
  TreeView,
} from './tree-store.js';
