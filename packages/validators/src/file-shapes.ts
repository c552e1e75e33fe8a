import { decisions, sbiStatuses, type ShapeKind } from '@deespec/domain';

import { flag, nested, object, oneOf, text, texts, textsOrObjects, whole } from './property.js';
import type { Shape } from './shape.js';

// Keys and their types as the trees carry them. Source: docs/formats.md. Unknown keys are data and never looked at.

/** `state.json` of one SBI; only the status is certain. */
class StateFile {
  @whole(0, 'optional') version!: unknown;
  @text('optional') id!: unknown;
  @text('optional') task_id!: unknown;
  @text('optional') title!: unknown;
  @text('optional') label!: unknown;
  @texts('optional') labels!: unknown;
  @whole(Number.MIN_SAFE_INTEGER, 'optional') priority!: unknown;
  @oneOf(sbiStatuses, 'required') status!: unknown;
  @text('optional') current!: unknown;
  @whole(0, 'optional') turn!: unknown;
  @whole(0, 'optional') attempt!: unknown;
  @oneOf(decisions, 'optional') decision!: unknown;
  @text('optional') lease_expires_at!: unknown;
  @text('optional') created_at!: unknown;
  @text('optional') updated_at!: unknown;
  @text('optional') completed_at!: unknown;
  @object('optional') inputs!: unknown;
  @object('optional') last_artifacts!: unknown;
  @object('optional') meta!: unknown;
}

/** `meta.yml` or `meta.yaml` of one SBI. */
class MetaFile {
  @text('optional') id!: unknown;
  @text('optional') title!: unknown;
  @texts('optional') labels!: unknown;
  @text('optional') created_at!: unknown;
  @text('optional') updated_at!: unknown;
  @whole(Number.MIN_SAFE_INTEGER, 'optional') priority!: unknown;
  @whole(Number.MIN_SAFE_INTEGER, 'optional') por!: unknown;
  @texts('optional') depends_on!: unknown;
  @text('optional') phase!: unknown;
  @text('optional') role!: unknown;
}

/** `setting.json`. Which modes exist is the mode parser's business. */
class SettingFile {
  @text('optional') storage_mode!: unknown;
}

/** `workflow.json` or `etc/workflow.yaml`: any object. */
class WorkflowFile {}

class GoStateMeta {
  @text('optional') updated_at!: unknown;
}

/** `var/state.json`, one for the tree. */
class GoStateFile {
  @whole(0, 'optional') version!: unknown;
  @text('optional') current!: unknown;
  @oneOf(sbiStatuses, 'optional') status!: unknown;
  @whole(0, 'optional') turn!: unknown;
  @text('optional') wip!: unknown;
  @text('optional') lease_expires_at!: unknown;
  @object('optional') inputs!: unknown;
  @object('optional') last_artifacts!: unknown;
  @oneOf(decisions, 'optional') decision!: unknown;
  @whole(0, 'optional') attempt!: unknown;
  @nested('optional', 'object') meta!: unknown;
}

/** One line of `var/journal.ndjson`. A line without turn or step is an event that is no execution. */
class JournalLine {
  @text('required') ts!: unknown;
  @whole(0, 'optional') turn!: unknown;
  @text('optional') step!: unknown;
  @oneOf(decisions, 'optional') decision!: unknown;
  @whole(0, 'optional') elapsed_ms!: unknown;
  @text('optional') error!: unknown;
  @textsOrObjects('optional') artifacts!: unknown;
  @oneOf(sbiStatuses, 'optional') status!: unknown;
  @whole(0, 'optional') attempt!: unknown;
}

class TransactionFile {
  @text('optional') type!: unknown;
  @text('optional') destination!: unknown;
  @text('optional') checksum!: unknown;
  @whole(0, 'optional') size!: unknown;
  @whole(0, 'optional') mode!: unknown;
}

class TransactionMeta {
  @text('optional') user!: unknown;
  @text('optional') session_id!: unknown;
}

/** `manifest.json` of a journal transaction. */
class TransactionManifest {
  @text('optional') id!: unknown;
  @text('optional') description!: unknown;
  @nested('optional', 'list') files!: unknown;
  @text('optional') created_at!: unknown;
  @nested('optional', 'object') meta!: unknown;
}

/** `status.commit` of a journal transaction. */
class TransactionCommit {
  @text('optional') txn_id!: unknown;
  @text('optional') committed_at!: unknown;
  @texts('optional') committed_files!: unknown;
  @flag('optional') success!: unknown;
}

/** The shape of each kind of file or line. */
export const fileShapes: Readonly<Record<ShapeKind, Shape>> = {
  state: { model: StateFile },
  meta: { model: MetaFile },
  setting: { model: SettingFile },
  workflow: { model: WorkflowFile },
  'go-state': { model: GoStateFile, nested: { meta: { model: GoStateMeta } } },
  'journal-line': { model: JournalLine, remember: 'clean-signatures' },
  'tx-manifest': {
    model: TransactionManifest,
    nested: { files: { model: TransactionFile }, meta: { model: TransactionMeta } },
  },
  'tx-commit': { model: TransactionCommit },
};
