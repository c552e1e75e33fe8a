import { Option } from '@commander-js/extra-typings';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { defineCommand } from './command.js';
import { adminCommand } from './commands/admin.js';
import { auditCommand } from './commands/audit.js';
import { backupCommand } from './commands/backup.js';
import { checkCommand } from './commands/check.js';
import { completeCommand, completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { conflictCommand } from './commands/conflict.js';
import { cutoverCommand } from './commands/cutover.js';
import { digestCommand } from './commands/digest.js';
import { doctorCommand } from './commands/doctor.js';
import { executionCommand } from './commands/execution.js';
import { exportCommand } from './commands/export.js';
import { gcCommand } from './commands/gc.js';
import { healthCommand } from './commands/health.js';
import { helpCommand } from './commands/help.js';
import { migrateCommand } from './commands/migrate.js';
import { modeCommand } from './commands/mode.js';
import { quarantineCommand } from './commands/quarantine.js';
import { rehearseCommand } from './commands/rehearse.js';
import { repairCommand } from './commands/repair.js';
import { restoreCommand } from './commands/restore.js';
import { rollbackCommand } from './commands/rollback.js';
import { sbiCommand } from './commands/sbi.js';
import { schemaCommand } from './commands/schema.js';
import { serveCommand } from './commands/serve.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { stopCommand } from './commands/stop.js';
import { syncCommand } from './commands/sync.js';
import { verifyCommand } from './commands/verify.js';
import { versionCommand } from './commands/version.js';
import type { Session } from './session.js';
import { ParseStop } from './usage.js';

/** The whole program: every command, its options and its help. Parsing it runs one command in `session`. */
export function createProgram(session: Session): CommandUnknownOpts {
  const described = (): CommandUnknownOpts => baseProgram(session);
  const program = baseProgram(session)
    .addCommand(completionCommand(session, described))
    .addCommand(completeCommand(session, described), { hidden: true });
  intercept(program, session);
  return program;
}

function baseProgram(session: Session) {
  return defineCommand('deespec', {
    summary: 'DeeSpec Storage',
    description:
      'DeeSpec Storage: move a .deespec tree into SQLite and back without losing a byte.\n' +
      'Also installed as deespec-storage, for machines where the workflow tool owns the name deespec.',
    examples: [
      ['deespec status', 'where this tree stands and what to do next'],
      ['deespec migrate --dry-run', 'try the migration; nothing is published'],
      ['deespec verify --check-all', 'prove that tree and database hold the same bytes'],
    ],
  })
    .addOption(new Option('-V, --version', 'the same as the version command'))
    .addCommand(statusCommand(session))
    .addCommand(migrateCommand(session))
    .addCommand(verifyCommand(session))
    .addCommand(checkCommand(session))
    .addCommand(repairCommand(session))
    .addCommand(exportCommand(session))
    .addCommand(digestCommand(session))
    .addCommand(rehearseCommand(session))
    .addCommand(cutoverCommand(session))
    .addCommand(rollbackCommand(session))
    .addCommand(gcCommand(session))
    .addCommand(modeCommand(session))
    .addCommand(startCommand(session))
    .addCommand(stopCommand(session))
    .addCommand(serveCommand(session), { hidden: true })
    .addCommand(syncCommand(session))
    .addCommand(conflictCommand(session))
    .addCommand(sbiCommand(session))
    .addCommand(executionCommand(session))
    .addCommand(configCommand(session))
    .addCommand(auditCommand(session))
    .addCommand(quarantineCommand(session))
    .addCommand(schemaCommand(session))
    .addCommand(backupCommand(session))
    .addCommand(restoreCommand(session))
    .addCommand(healthCommand(session))
    .addCommand(doctorCommand(session))
    .addCommand(adminCommand(session))
    .addCommand(versionCommand(session))
    .addCommand(helpCommand(session));
}

/** Runs the command that `argv` (without node and script) names; the session has the exit code afterwards. */
export async function runProgram(session: Session, argv: readonly string[]): Promise<void> {
  const program = createProgram(session);
  const wantsVersion = argv.find((word) => word !== '--json')?.match(/^(-V|--version)$/u);
  try {
    await program.parseAsync(wantsVersion ? argv.map(versionWord) : argv, { from: 'user' });
  } catch (error) {
    await session.fail(error);
  }
}

function versionWord(word: string): string {
  return /^(-V|--version)$/u.test(word) ? 'version' : word;
}

/** Makes every command of the tree report to the session instead of writing and exiting. */
function intercept(command: CommandUnknownOpts, session: Session): void {
  command.configureOutput(session.helpOutput).exitOverride((reason) => {
    throw new ParseStop(command, reason);
  });
  for (const child of command.commands) intercept(child, session);
}
