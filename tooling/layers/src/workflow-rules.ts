import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dependencyClosure } from './manifest-rules.js';
import { listPackages, type Violation } from './workspace.js';

interface Trigger {
  readonly paths?: readonly string[];
}

interface Workflow {
  readonly on?: Readonly<Record<string, Trigger | null>>;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs?: unknown;
}

const directory = '.github/workflows';

/**
 * Pipelines: every file parses and names its permissions; one that starts by itself is limited to one run at a time;
 * foreign actions are pinned by commit.
 */
export function checkWorkflows(root: string): Violation[] {
  return readdirSync(join(root, directory))
    .filter((name) => name.endsWith('.yml'))
    .flatMap((name) => {
      const where = `${directory}/${name}`;
      const text = readFileSync(join(root, where), 'utf8');
      const workflow = parse(text) as Workflow;
      return [...workflowProblems(workflow), ...unpinnedActions(text)].map((what) => ({
        rule: 'workflow',
        where,
        what,
      }));
    });
}

function workflowProblems(workflow: Workflow): string[] {
  const problems: string[] = [];
  if (workflow.on === undefined || workflow.jobs === undefined) problems.push('has no trigger or no job');
  if (workflow.permissions === undefined) problems.push('does not name its permissions');
  const isCalled = workflow.on !== undefined && 'workflow_call' in workflow.on;
  if (!isCalled && workflow.concurrency === undefined) problems.push('does not limit its concurrency');
  return problems;
}

/** Actions of `text` from elsewhere whose version is not a full commit hash. */
export function unpinnedActions(text: string): string[] {
  return [...text.matchAll(/uses: *(\S+)/gu)]
    .map((match) => match[1]!)
    .filter((action) => !action.startsWith('./') && !/@[0-9a-f]{40}$/u.test(action))
    .map((action) => `uses ${action}, which is not pinned by commit`);
}

/** Every package and app has a pipeline of its own that starts when it, or anything it is built from, changes. */
export function checkPackagePipelines(root: string): Violation[] {
  const packages = listPackages(root);
  const paths = new Map(packages.map((one) => [one.folder, one.path]));
  return packages
    .filter((one) => one.group !== 'tooling')
    .flatMap((one) => {
      const where = `${directory}/${one.folder}.yml`;
      const needed = [one.folder, ...dependencyClosure(root, one.folder)].map(
        (name) => `${paths.get(name)}/**`,
      );
      return pipelineProblems(root, where, needed).map((what) => ({ rule: 'pipeline', where, what }));
    });
}

function pipelineProblems(root: string, where: string, needed: readonly string[]): string[] {
  if (!existsSync(join(root, where))) return ['is missing'];
  const workflow = parse(readFileSync(join(root, where), 'utf8')) as Workflow;
  return ['push', 'pull_request'].flatMap((event) => {
    const watched = workflow.on?.[event]?.paths ?? [];
    return needed.filter((path) => !watched.includes(path)).map((path) => `${event} does not watch ${path}`);
  });
}
