import picocolors from 'picocolors';
import type { EnvelopeError } from './envelope.js';
import { safeText } from './safe-text.js';
import type { Terminal } from './terminal.js';

/** An error for people: what happened, its code, and what to do next. */
export function renderError(error: EnvelopeError, terminal: Terminal): string {
  const label = colors(terminal).red('error:');
  const lines = [`${label} ${safeText(error.message)} (${error.code})`];
  if (error.hint !== null) lines.push(`hint: ${safeText(error.hint)}`);
  return lines.join('\n');
}

/** A warning for people, on one line. */
export function renderWarning(warning: string, terminal: Terminal): string {
  return `${colors(terminal).yellow('warning:')} ${safeText(warning)}`;
}

function colors({ stderr }: Terminal) {
  return picocolors.createColors(stderr.isTTY === true && picocolors.isColorSupported);
}
