// Bundles the command line: a process that opens forty files instead of up to seven hundred starts in half the time
// (docs/adr/0022). The modules that `tsc` wrote stay beside it, for tests that change one of them.
import { cpSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'rolldown';

const root = import.meta.dirname;
const storage = realpathSync(join(root, 'node_modules/@deespec/storage'));
const adapter = realpathSync(join(storage, 'node_modules/@deespec/sqlite-adapter'));

export default defineConfig({
  input: {
    start: join(root, 'dist/start.js'),
    // Programs of child processes; who starts them looks for them beside itself.
    child: join(storage, 'dist/backup/child.js'),
    'disk-process-main': join(storage, 'node_modules/@deespec/verifier/dist/disk-process-main.js'),
    'hasher-thread': join(storage, 'node_modules/@deespec/file-adapter/dist/hasher-thread.js'),
    'job-main': join(storage, 'dist/service/job-main.js'),
  },
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  // Native code, and what finds parts of itself by its place.
  external: ['@deespec/admin', 'better-sqlite3', 'pino', 'typeorm'],
  output: {
    dir: join(root, 'dist/program'),
    cleanDir: true,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      groups: [
        // Apart from the rest of its package, whose reader of YAML every command would load with it.
        { name: 'audit-chain', test: /layout.dist.audit-chain/ },
        // Every command loads most of it: one file to open instead of a dozen.
        { name: 'domain', test: /domain.dist/ },
      ],
    },
    minify: { compress: false, mangle: false, codegen: true },
  },
  plugins: [{ name: 'licences', generateBundle: addLicences, writeBundle: copyNeighbours }],
});

/** What modules find by `../` from their own place. */
function copyNeighbours() {
  cpSync(join(adapter, 'migrations'), join(root, 'dist/migrations'), { recursive: true });
  const { type, version, engines } = JSON.parse(readFileSync(join(storage, 'package.json'), 'utf8'));
  writeFileSync(join(root, 'dist/package.json'), JSON.stringify({ type, version, engines }));
}

/** The licences of what is bundled ask for their text. */
function addLicences(_options, bundle) {
  const modules = Object.values(bundle).flatMap((chunk) => chunk.moduleIds ?? []);
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(id) ?? []));
  const texts = [...folders].sort().map(licenceOf);
  this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join('\n\n') });
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/iu.test(entry));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}`;
}
