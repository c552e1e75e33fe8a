import type { DescribedScript } from '@deespec/migration-engine';
import type { SchemaNeeds } from '@deespec/sqlite-adapter';

/** Where a database stands among the versions of the schema. */
export interface SchemaStatus {
  readonly home: string;
  readonly database: string;
  /** The version of the database; 0 when there is none yet. */
  readonly version: number;
  /** The newest version that this program knows, and works on. */
  readonly newest: number;
  /** What the database asks of programs; absent where it does not say. */
  readonly needs?: SchemaNeeds;
  /** Every version that either knows, lowest first. */
  readonly scripts: readonly DescribedScript[];
  /** Why this program does not work on the database; absent when it does. */
  readonly problem?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** Copies from before changes of the schema, oldest first. */
  readonly backups: readonly string[];
}

/** Which way a change of schema goes. */
export type SchemaDirection = 'up' | 'down';

/** A change of schema that was not made yet. */
export interface SchemaPlan {
  readonly home: string;
  readonly database: string;
  readonly direction: SchemaDirection;
  readonly from: number;
  readonly to: number;
  /** The scripts in the order in which they would run. */
  readonly scripts: readonly { readonly version: number; readonly name: string; readonly sql: string }[];
  /** What would no longer be there, in words; `[]` on the way up. */
  readonly drops: readonly string[];
}

/** What {@link SchemaPlan}s are made of. */
export interface SchemaRequest {
  readonly home: string;
  readonly direction: SchemaDirection;
  /** The version to reach; absent: the newest. */
  readonly to?: number;
}

/** What a change of schema takes. */
export interface ChangeSchemaOptions extends SchemaRequest {
  /** Rehearse it on a copy and leave the database as it is. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** What a change of schema did. */
export interface SchemaChangeReport {
  readonly home: string;
  readonly database: string;
  readonly direction: SchemaDirection;
  readonly dryRun: boolean;
  readonly from: number;
  readonly to: number;
  /** Versions whose script ran, in the order in which they did. */
  readonly applied: readonly number[];
  /** What is no longer there, in words. */
  readonly drops: readonly string[];
  /** The verified copy from before; absent when nothing was to be done, and in a dry run. */
  readonly backup?: { readonly path: string; readonly bytes: number };
  /** What was rehearsed on a copy: tables and rows that were compared, value by value. */
  readonly proven: { readonly tables: number; readonly rows: number };
  readonly durationMs: number;
}

/** What is wrong with the schema of a database. */
export interface SchemaVerification extends SchemaStatus {
  readonly ok: boolean;
  /** What differs from a replay of the scripts in memory, in words. */
  readonly drift: readonly string[];
  /** SQL that would take the drift away, to be read before it is run. */
  readonly sql: readonly string[];
}

/** One step of a proof. */
export interface SchemaStep {
  readonly direction: SchemaDirection;
  readonly from: number;
  readonly to: number;
  /** Tables whose rows were compared, value by value, in the columns that both versions have. */
  readonly tables: number;
  readonly rows: number;
  readonly durationMs: number;
}

/** What a proof did on a copy. */
export interface SchemaProof {
  readonly home: string;
  readonly database: string;
  /** Up, down and up again, a version at a time. */
  readonly steps: readonly SchemaStep[];
  /** Why the way down ended above version 1; absent when it did not. */
  readonly kept?: { readonly version: number; readonly message: string };
  readonly durationMs: number;
}
