import type { Finding } from '@deespec/domain';
import { formatNumberOf } from './render.js';
import { safeText } from './safe-text.js';

/**
 * Findings grouped by rule, errors first, each with its place, what was expected and found, and the fix; a fix that the
 * whole group shares stands once. Nothing is left out.
 */
export function renderFindings(findings: readonly Finding[]): string {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.rule}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([title, group]) => renderGroup(title, group))
    .join('\n');
}

/** `2 errors, 1 warning`. */
export function countFindings(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return `${formatNumberOf(errors, 'error')}, ${formatNumberOf(findings.length - errors, 'warning')}`;
}

function renderGroup(title: string, group: readonly Finding[]): string {
  const fixes = new Set(group.map(({ fix }) => fix));
  const lines = [`${safeText(title)} (${group.length})`];
  for (const finding of group) {
    lines.push(
      `  ${safeText(place(finding))}: expected ${safeText(finding.expected)}, found ${safeText(finding.actual)}`,
    );
    if (fixes.size > 1) lines.push(`    fix: ${safeText(finding.fix)}`);
  }
  if (fixes.size === 1) lines.push(`  fix: ${safeText(group[0]!.fix)}`);
  return lines.join('\n');
}

function place({ entity, path, line }: Finding): string {
  const file = path === undefined ? '' : line === undefined ? path : `${path}:${line}`;
  if (file === '') return entity;
  return path === entity ? file : `${entity} ${file}`;
}
