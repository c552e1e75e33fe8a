import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import { clipMarks } from './format.js';

/** Longer lines are broken: one line of a megabyte would stop the browser. */
const lineLimit = 2000;

interface Line {
  readonly number: number;
  readonly text: string;
  /** True for what follows of a line that was broken. */
  readonly continued: boolean;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  text.split('\n').forEach((line, index) => {
    for (let at = 0; at === 0 || at < line.length; at += lineLimit) {
      lines.push({ number: index + 1, text: line.slice(at, at + lineLimit), continued: at > 0 });
    }
  });
  return lines;
}

/** A text as it is, with line numbers; only the lines in view exist, so that megabytes scroll. */
export function RawText({ text, label }: { readonly text: string; readonly label: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOf(text), [text]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => 18,
    overscan: 20,
  });
  return (
    <div ref={frame} className="raw" tabIndex={0} role="region" aria-label={label}>
      <div className="raw-inner" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          return (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="raw-line"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <span className="raw-number" aria-hidden="true">
                {line?.continued === true ? '' : line?.number}
              </span>
              <span className="raw-words">{clipMarks(line?.text ?? '')}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
