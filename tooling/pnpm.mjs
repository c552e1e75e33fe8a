// Runs the pinned pnpm on a machine that has only Node and npm: the one on PATH if it is the pinned version,
// else through npx. Separate from every package because nothing is installed yet when it runs.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('@')[1];

/** The command and leading arguments that start the pinned pnpm. */
function pnpmCommand() {
  const found = spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8' });
  if (found.status === 0 && found.stdout.trim() === pinned) return ['pnpm'];
  return ['npx', '--yes', `pnpm@${pinned}`];
}

const [command, ...leading] = pnpmCommand();

/** Runs pnpm with `args`; ends this process with its exit code when it fails. */
function run(args) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
  const result = spawnSync(command, [...leading, ...args], { cwd: root, stdio: 'inherit', env });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const args = process.argv.slice(2);
if (args[0] === 'setup') {
  run(['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=warn']);
  run(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only', '--log-order=grouped']);
} else {
  run(args);
}
