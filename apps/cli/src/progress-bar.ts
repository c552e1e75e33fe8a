// Apart from progress.ts so that the bar's library is loaded only where there is a terminal.
import cliProgress from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import { formatEta } from './progress-lines.js';
import type { Phase, ProgressDisplay } from './progress-lines.js';
import type { Stream } from './terminal.js';

interface BarPayload {
  readonly phase: string;
  readonly share: string;
  readonly amount: string;
  readonly left: string;
}

/** A progress bar on a terminal; one bar per phase, the last one cleared at the end. */
export function openBar(stream: Stream): ProgressDisplay {
  const bar = new cliProgress.SingleBar({
    stream,
    format: (options, { progress }, { phase, share, amount, left }: BarPayload) => {
      // Without a total there is nothing to draw a share of.
      if (share === '') return `${phase} ${amount}`;
      return `${phase} [${cliProgress.Format.BarFormat(progress, options)}] ${share} ${amount} ETA ${left}`;
    },
    barsize: 30,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    clearOnComplete: true,
    // A signal may end the process at once: the terminal would keep a hidden cursor and cut lines.
    hideCursor: false,
    linewrap: true,
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
