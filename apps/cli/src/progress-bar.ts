// Apart from progress.ts so that the bar's library is loaded only where there is a terminal.
import cliProgress from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import { formatEta } from './progress.js';
import type { Phase, ProgressDisplay } from './progress.js';
import type { Stream } from './terminal.js';

/** A progress bar on a terminal; one bar per phase, the last one cleared at the end. */
export function openBar(stream: Stream): ProgressDisplay {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{phase} [{bar}] {share} {amount} ETA {left}',
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    clearOnComplete: true,
    // A signal may end the process at once: a hidden cursor would stay hidden.
    hideCursor: false,
  });
  let phase: Phase | undefined;
  return {
    update(progress) {
      const now = performance.now();
      const total = progress.totalBytes ?? 0;
      if (phase?.name !== progress.phase) {
        phase = { name: progress.phase, startedAt: now, fromBytes: progress.doneBytes };
        bar.stop();
        bar.start(Math.max(1, total), 0, { phase: progress.phase, share: '', amount: '', left: '?' });
      }
      bar.setTotal(Math.max(1, total, progress.doneBytes));
      bar.update(total === 0 ? 0 : progress.doneBytes, {
        phase: progress.phase,
        share: total === 0 ? '' : `${Math.min(100, Math.floor((progress.doneBytes / total) * 100))}%`,
        amount: prettyBytes(progress.doneBytes),
        left: formatEta(progress, phase, now),
      });
    },
    close: () => bar.stop(),
  };
}
