import { pathToBytes, type DerivedUnit, type Execution, type SbiId, type TreePath } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

type Cell = string | number | bigint | Buffer | null;

const SBI = [
  'id',
  'task_id',
  'label',
  'priority',
  'status',
  'created_at',
  'updated_at',
  'completed_at',
  'metadata',
  'path',
];
const EXECUTION = [
  'sbi_id',
  'run',
  'turn',
  'step',
  'status',
  'decision',
  'attempt',
  'started_at',
  'completed_at',
].concat(['lease_expires_at', 'path', 'metadata']);
const CONFIG = ['key', 'value', 'updated_at', 'path'];
/** Columns of `audit_log` but its own number. */
export const AUDIT_COLUMNS = [
  'timestamp',
  'entity_type',
  'entity_id',
  'action',
  'old_value',
  'new_value',
  'user',
  'session_id',
  'path',
];

/** What writing the index rows of one unit did. */
export interface IndexChange {
  readonly rows: number;
  /** Where a path's bytes belong: id of the execution whose artifact it is. */
  readonly placements: ReadonlyMap<TreePath, number>;
}

/** A stored row that is not what its unit derives to, or is missing, or is not derived. */
export interface RowDifference {
  readonly table: 'sbi' | 'execution' | 'config' | 'audit_log';
  /** Names the row within its table, for people. */
  readonly key: string;
  readonly is: 'different' | 'missing' | 'not derived';
  /** The SBI that it is, or belongs to. */
  readonly sbiId?: SbiId;
  /** Table and key, or what the key is part of. */
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
}

/** A stored execution, as far as moving its content needs it. */
export interface StoredExecution {
  readonly id: number;
  readonly key: string;
  readonly path: TreePath | undefined;
}

/**
 * The index tables, written unit by unit: only rows that differ are touched, rows that a unit no longer derives are removed.
 * Execution content is not written here: it belongs to the tree's entries.
 */
export class IndexRows {
  private readonly sbiAt: Statement;
  private readonly sbiRow: Statement;
  private readonly executionsOf: Statement;
  private readonly configAt: Statement;
  private readonly auditAt: Statement;
  private readonly statements = new Map<string, Statement>();

  /** @param isEmpty - the tables are empty and every unit is written once: nothing stored is looked for */
  constructor(
    private readonly handle: Database,
    private readonly isEmpty = false,
  ) {
    this.sbiAt = handle.prepare('SELECT id FROM sbi WHERE path = ?').pluck();
    this.sbiRow = handle.prepare(`SELECT ${SBI.join(', ')} FROM sbi WHERE id = ?`).raw();
    const columns = `id, ${EXECUTION.join(', ')}`;
    this.executionsOf = handle
      .prepare(`SELECT ${columns} FROM execution WHERE sbi_id = ? ORDER BY run, turn, step`)
      .raw();
    this.configAt = handle.prepare(`SELECT ${CONFIG.join(', ')} FROM config WHERE path = ?`).raw();
    this.auditAt = handle.prepare(`SELECT ${AUDIT_COLUMNS.join(', ')} FROM audit_log WHERE path = ?`).raw();
  }

  /** Stored executions of the SBI that a unit is, and of the one whose rows came from its directory. */
  storedExecutions({ path, sbi }: DerivedUnit): StoredExecution[] {
    const at = this.sbiAt.get(pathToBytes(path)) as string | undefined;
    const ids = new Set([sbi?.id, at].filter((id) => id !== undefined));
    const rows = [...ids].flatMap((id) => this.executionsOf.all(id) as Cell[][]);
    return rows.map((row) => ({
      id: row[0] as number,
      key: rowKey(row),
      path: row[11] === null ? undefined : ((row[11] as Buffer).toString('latin1') as TreePath),
    }));
  }

  /** Writes the unit's rows that differ from the stored ones. */
  write(unit: DerivedUnit): IndexChange {
    const path = pathToBytes(unit.path);
    let rows = this.isEmpty ? 0 : this.removeOthers(unit, path);
    const placements = new Map<TreePath, number>();
    if (unit.kind === 'sbi') rows += this.writeSbi(unit, placements);
    if (unit.kind === 'transaction') rows += this.writeAudit(unit, path);
    if (unit.kind === 'entry') rows += this.writeConfig(unit, path);
    return { rows, placements };
  }

  /** Removes every index row that came from `path`. */
  removeAt(path: TreePath): number {
    const bytes = pathToBytes(path);
    const id = this.sbiAt.get(bytes) as SbiId | undefined;
    const executions = id === undefined ? 0 : this.run('DELETE FROM execution WHERE sbi_id = ?', [id]);
    const own = ['sbi', 'config', 'audit_log'].map((table) =>
      this.run(`DELETE FROM ${table} WHERE path = ?`, [bytes]),
    );
    return own.reduce((sum, rows) => sum + rows, executions);
  }

  /**
   * Differences between the stored rows of a unit and what it derives to, for people; `[]` when they agree. Never writes.
   */
  differences(unit: DerivedUnit): RowDifference[] {
    const path = pathToBytes(unit.path);
    if (unit.kind === 'transaction')
      return compare({ table: 'audit_log' }, auditCells(unit), this.auditAt.all(path) as Cell[][]);
    if (unit.kind === 'entry')
      return compare({ table: 'config' }, configCells(unit), this.configAt.all(path) as Cell[][]);
    const sbiId = unit.sbi?.id ?? (this.sbiAt.get(path) as SbiId | undefined);
    if (sbiId === undefined) return [];
    const sbi = unit.sbi === undefined ? [] : [sbiCells(unit)];
    const stored = (this.executionsOf.all(sbiId) as Cell[][]).map((row) => row.slice(1));
    return [
      ...compare({ table: 'sbi', sbiId }, sbi, this.sbiRow.all(sbiId) as Cell[][]),
      ...compare({ table: 'execution', sbiId }, unit.executions.map(executionCells), stored),
    ];
  }

  /** What stands at a path can become a unit of another kind: a directory where a file was. Its old rows go. */
  private removeOthers({ kind }: DerivedUnit, path: Buffer): number {
    let rows = 0;
    if (kind !== 'sbi') {
      rows += this.run('DELETE FROM execution WHERE sbi_id = (SELECT id FROM sbi WHERE path = ?)', [path]);
      rows += this.run('DELETE FROM sbi WHERE path = ?', [path]);
    }
    if (kind !== 'transaction') rows += this.run('DELETE FROM audit_log WHERE path = ?', [path]);
    if (kind !== 'entry') rows += this.run('DELETE FROM config WHERE path = ?', [path]);
    return rows;
  }

  private writeSbi(unit: DerivedUnit, placements: Map<TreePath, number>): number {
    if (unit.sbi === undefined) return this.isEmpty ? 0 : this.removeAt(unit.path);
    const wanted = sbiCells(unit);
    const stored = this.isEmpty ? undefined : (this.sbiRow.get(unit.sbi.id) as Cell[] | undefined);
    let rows = 0;
    if (stored === undefined) rows += this.insert('sbi', SBI, wanted);
    else if (!sameCells(stored, wanted)) rows += this.update('sbi', SBI, wanted);
    const old = new Map(
      (stored === undefined ? [] : (this.executionsOf.all(unit.sbi.id) as Cell[][])).map((row) => [
        rowKey(row),
        row,
      ]),
    );
    for (const execution of unit.executions) {
      const key = executionKey(execution);
      const row = old.get(key);
      old.delete(key);
      const { id, changed } = this.writeExecution(execution, row);
      rows += changed;
      if (execution.contentPath !== undefined) placements.set(execution.contentPath, id);
    }
    for (const row of old.values()) rows += this.run('DELETE FROM execution WHERE id = ?', [row[0]!]);
    return rows;
  }

  private writeExecution(execution: Execution, row: Cell[] | undefined): { id: number; changed: number } {
    const wanted = executionCells(execution);
    if (row === undefined) {
      const { lastInsertRowid } = this.statement(insertSql('execution', EXECUTION)).run(...wanted);
      return { id: Number(lastInsertRowid), changed: 1 };
    }
    const id = row[0] as number;
    if (sameCells(row.slice(1), wanted)) return { id, changed: 0 };
    const set = EXECUTION.map((column) => `${column} = ?`).join(', ');
    return { id, changed: this.run(`UPDATE execution SET ${set} WHERE id = ?`, [...wanted, id]) };
  }

  private writeConfig(unit: DerivedUnit, path: Buffer): number {
    const rowsAt = this.isEmpty ? [] : (this.configAt.all(path) as Cell[][]);
    const stored = new Map(rowsAt.map((row) => [row[0], row]));
    let rows = 0;
    for (const wanted of configCells(unit)) {
      const row = stored.get(wanted[0]);
      stored.delete(wanted[0]);
      // A key can come from another file than before, whose row is still there.
      if (row === undefined) rows += this.run('DELETE FROM config WHERE key = ?', [wanted[0]!]);
      if (row === undefined) rows += this.insert('config', CONFIG, wanted);
      else if (!sameCells(row, wanted)) rows += this.update('config', CONFIG, wanted);
    }
    for (const key of stored.keys()) rows += this.run('DELETE FROM config WHERE key = ?', [key!]);
    return rows;
  }

  private writeAudit(unit: DerivedUnit, path: Buffer): number {
    const [wanted] = auditCells(unit);
    const stored = this.isEmpty ? undefined : (this.auditAt.get(path) as Cell[] | undefined);
    if (wanted !== undefined && stored !== undefined && sameCells(stored, wanted)) return 0;
    const removed = stored === undefined ? 0 : this.run('DELETE FROM audit_log WHERE path = ?', [path]);
    return wanted === undefined ? removed : this.insert('audit_log', AUDIT_COLUMNS, wanted);
  }

  private insert(table: string, columns: readonly string[], cells: readonly Cell[]): number {
    return this.run(insertSql(table, columns), cells);
  }

  /** Updates the row whose first column is the key. */
  private update(table: string, columns: readonly string[], cells: readonly Cell[]): number {
    const set = columns
      .slice(1)
      .map((column) => `${column} = ?`)
      .join(', ');
    return this.run(`UPDATE ${table} SET ${set} WHERE ${columns[0]} = ?`, [...cells.slice(1), cells[0]!]);
  }

  private run(sql: string, cells: readonly Cell[]): number {
    return this.statement(sql).run(...cells).changes;
  }

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) this.statements.set(sql, (statement = this.handle.prepare(sql)));
    return statement;
  }
}

function insertSql(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

function sbiCells(unit: DerivedUnit): Cell[] {
  const { id, taskId, label, priority, status, createdAt, updatedAt, completedAt, metadata } = unit.sbi!;
  const times = [createdAt, updatedAt, completedAt ?? null];
  return [
    id,
    taskId,
    label ?? null,
    priority,
    status,
    ...times,
    JSON.stringify(metadata),
    pathToBytes(unit.path),
  ];
}

function executionCells(execution: Execution): Cell[] {
  const { sbiId, run, turn, step, status, decision, attempt, startedAt, contentPath, metadata } = execution;
  const times = [startedAt, execution.completedAt ?? null, execution.leaseExpiresAt ?? null];
  const path = contentPath === undefined ? null : pathToBytes(contentPath);
  return [sbiId, run, turn, step, status, decision, attempt, ...times, path, JSON.stringify(metadata)];
}

function configCells(unit: DerivedUnit): Cell[][] {
  return unit.config.map(({ key, valueJson, updatedAt }) => [
    key,
    valueJson,
    updatedAt,
    pathToBytes(unit.path),
  ]);
}

function auditCells(unit: DerivedUnit): Cell[][] {
  if (unit.audit === undefined) return [];
  const { timestamp, entityType, entityId, action, oldValue, newValue, user, sessionId } = unit.audit;
  const values = [oldValue ?? null, newValue ?? null, user ?? null, sessionId ?? null];
  return [[timestamp, entityType, entityId, action, ...values, pathToBytes(unit.path)]];
}

/** Key of an execution within its SBI. */
export function executionKey({ run, turn, step }: Pick<Execution, 'run' | 'turn' | 'step'>): string {
  return `${run}/${turn}/${step}`;
}

function rowKey(row: readonly Cell[]): string {
  return executionKey({ run: row[2] as number, turn: row[3] as number, step: row[4] as string });
}

function sameCells(a: readonly Cell[], b: readonly Cell[]): boolean {
  return a.every((cell, i) =>
    Buffer.isBuffer(cell) ? Buffer.isBuffer(b[i]) && cell.equals(b[i]) : cell === b[i],
  );
}

/** Compares rows of one table by their keys. */
function compare(
  of: Pick<RowDifference, 'table' | 'sbiId'>,
  wanted: Cell[][],
  stored: Cell[][],
): RowDifference[] {
  const [left, right] = [byKey(of.table, wanted), byKey(of.table, stored)];
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort();
  return keys.flatMap((key): RowDifference[] => {
    const [expected, actual] = [left.get(key), right.get(key)];
    if (expected !== undefined && actual !== undefined && sameCells(expected, actual)) return [];
    const is = expected === undefined ? 'not derived' : actual === undefined ? 'missing' : 'different';
    const where = whereOf(of);
    return [{ ...of, key, is, where, expected: rowText(expected), actual: rowText(actual) }];
  });
}

function whereOf({ table, sbiId }: Pick<RowDifference, 'table' | 'sbiId'>): string {
  if (sbiId === undefined) return table;
  return table === 'sbi' ? `sbi ${sbiId}` : `execution of ${sbiId}`;
}

function byKey(table: RowDifference['table'], rows: readonly Cell[][]): Map<string, Cell[]> {
  return new Map(rows.map((row) => [keyOf(table, row), row]));
}

function keyOf(table: RowDifference['table'], row: readonly Cell[]): string {
  if (table === 'execution') return executionName(row);
  return cellText(table === 'audit_log' ? row.at(-1)! : row[0]!);
}

/** An execution for people, by the first columns of its key: SBI, run, turn and step. */
export function executionName([sbiId, run, turn, step]: readonly unknown[]): string {
  return `${String(sbiId)} run ${String(run)} turn ${String(turn)} ${String(step)}`;
}

function rowText(row: readonly Cell[] | undefined): string {
  return row === undefined ? 'no such row' : row.map(cellText).join(' | ');
}

function cellText(cell: Cell): string {
  return Buffer.isBuffer(cell) ? cell.toString('latin1') : String(cell);
}
