import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Violation } from './workspace.js';

/** Longest TypeScript file, in lines. Source: CONTRIBUTING.md, "Limits". */
const SOURCE_LINES = 400;

/**
 * What no tracked text may hold: it names one machine, or the registry that one machine installs from. A user of one letter
 * is an example.
 */
const forbiddenText: Readonly<Record<string, RegExp>> = {
  'absolute-path': /(?<![\w.~*}$-])\/(?:home|root|Users|work|farm)\/[\w.-]{2,}/u,
  'registry-host':
    /registry\.(?:npmjs|yarnpkg)\.|npm\.pkg\.github\.com|tarball: *https?:|"resolved": *"https?:/u,
};

/** Tracked files of the repository at `root` that exist, relative and in path order. */
export function listTracked(root: string): string[] {
  return execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(root, file)));
}

/** Texts that name one machine or a registry, and TypeScript files that are too long. Files with a NUL are no text. */
export function checkTexts(root: string, files: readonly string[]): Violation[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    if (text.includes('\0')) return [];
    return [...forbiddenIn(file, text), ...tooLong(file, text)];
  });
}

function forbiddenIn(file: string, text: string): Violation[] {
  return Object.entries(forbiddenText).flatMap(([rule, pattern]) => {
    const found = pattern.exec(text);
    if (found === null) return [];
    const line = text.slice(0, found.index).split('\n').length;
    return [{ rule, where: `${file}:${line}`, what: `holds ${found[0]}` }];
  });
}

function tooLong(file: string, text: string): Violation[] {
  if (!/\.tsx?$/u.test(file)) return [];
  const lines = text.trimEnd().split('\n').length;
  if (lines <= SOURCE_LINES) return [];
  return [{ rule: 'length', where: file, what: `has ${lines} lines; at most ${SOURCE_LINES}` }];
}
