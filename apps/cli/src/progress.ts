import { lineProgress } from './progress-lines.js';
import type { ProgressDisplay } from './progress-lines.js';
import type { Stream } from './terminal.js';

/** A bar when `stream` is a terminal, else a line every 10 seconds. */
export async function openProgress(stream: Stream): Promise<ProgressDisplay> {
  if (stream.isTTY !== true)
    return lineProgress(
      (line) => stream.write(`${line}\n`),
      () => performance.now(),
    );
  const { openBar } = await import('./progress-bar.js');
  return openBar(stream);
}
