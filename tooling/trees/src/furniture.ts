import { jsonText } from './json-text.js';
import { writeFurnitureA } from './layout-a.js';
import type { Scribe } from './scribe.js';

/** Which layout a tree has; `mixed` alternates SBI by SBI. Source: docs/formats.md. */
export type TreeLayout = 'A' | 'B' | 'mixed';

const steps = ['plan', 'implement', 'test', 'review', 'done'] as const;

/** Writes what stands beside the SBIs: settings, workflow, prompts, and directories that are still empty. */
export function writeFurniture(scribe: Scribe, layout: TreeLayout): void {
  const { prose } = scribe;
  const setting = {
    home: '.deespec',
    agent_bin: 'agent',
    timeout_sec: 600,
    project_name: 'Projet <été> & 設計',
    max_attempts: 3,
    max_turns: 8,
    strict_fsync: false,
  };
  scribe.write('setting.json', jsonText(setting, 'indented'));
  scribe.write('specs/README.md', `# Backlog\n\n${prose.text(400)}`);
  scribe.write('specs/.gitkeep', '');
  if (layout !== 'B') writeFurnitureA(scribe);
  if (layout === 'A') return;
  scribe.write('etc/workflow.yaml', workflowYaml());
  const policy = `# reviewed every month\nversion: 1\nlimits:\n  max_feedback: 3\n`;
  scribe.write('etc/policies/review_policy.yaml', policy);
  for (const step of steps) scribe.write(`prompts/system/${step}.md`, `# ${step}\n\n${prose.text(900)}`);
  scribe.write('templates/spec_feedback.yaml', 'title: "[FB] {title}"\n');
  scribe.directory('specs/pbi');
  scribe.directory('knowledge');
  scribe.directory('sessions');
}

function workflowYaml(): string {
  const list = steps.map((step) => `  - id: ${step}\n    prompt_path: "prompts/system/${step}.md"\n`);
  return `name: dev-loop   # one of several\nsteps:\n${list.join('')}`;
}
