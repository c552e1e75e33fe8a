import { SegmentedControl, Text } from '@mantine/core';
import { createTwoFilesPatch } from 'diff';
import { useMemo, useState } from 'react';
import { Decoration, Diff, Hunk, parseDiff, type HunkData, type ViewType } from 'react-diff-view';
import 'react-diff-view/style/index.css';
import { clipMarks, formatCount } from './format.js';

/** Above this many characters on both sides together no difference is made: it would take the browser minutes. */
const sizeLimit = 1_000_000;

interface DifferenceProps {
  readonly oldText: string;
  readonly newText: string;
  readonly oldLabel: string;
  readonly newLabel: string;
  /** Begins side by side and not one below the other. */
  readonly sideBySide?: boolean;
}

function hunksOf({ oldText, newText }: DifferenceProps) {
  const patch = createTwoFilesPatch('old', 'new', clipMarks(oldText), clipMarks(newText), '', '', {
    context: 3,
    timeout: 3000,
  });
  if (patch === undefined) return undefined;
  const at = patch.indexOf('@@');
  if (at < 0) return [];
  const [file] = parseDiff(`diff --git a/old b/new\n--- a/old\n+++ b/new\n${patch.slice(at)}`);
  return file?.hunks ?? [];
}

/** A hunk, and before it how many lines that are the same were left out. */
function hunkWithGap(hunk: HunkData, previous: HunkData | undefined) {
  const skipped = hunk.oldStart - (previous === undefined ? 1 : previous.oldStart + previous.oldLines);
  const shown = <Hunk key={hunk.content} hunk={hunk} />;
  if (skipped <= 0) return [shown];
  const words = `${formatCount(skipped)} ${skipped === 1 ? 'line is' : 'lines are'} the same`;
  return [
    <Decoration key={`gap ${hunk.content}`} className="diff-gap">
      {words}
    </Decoration>,
    shown,
  ];
}

/** The difference between two texts, by lines: one below the other, or side by side. */
export function Difference(props: DifferenceProps) {
  const [view, setView] = useState<ViewType>(props.sideBySide === true ? 'split' : 'unified');
  const tooLarge = props.oldText.length + props.newText.length > sizeLimit;
  const { oldText, newText } = props;
  const hunks = useMemo(
    () => (tooLarge ? undefined : hunksOf({ oldText, newText, oldLabel: '', newLabel: '' })),
    [tooLarge, oldText, newText],
  );
  if (hunks === undefined) {
    return (
      <Text size="sm">
        These texts are too large or too different to be compared here. Save both and compare the files.
      </Text>
    );
  }
  if (hunks.length === 0) return <Text size="sm">Both texts are the same, byte for byte.</Text>;
  return (
    <section aria-label={`Difference from ${props.oldLabel} to ${props.newLabel}`}>
      <div className="text-tools">
        <SegmentedControl
          size="xs"
          aria-label="How the difference is shown"
          value={view}
          onChange={(value) => setView(value === 'split' ? 'split' : 'unified')}
          data={[
            { value: 'unified', label: 'One below the other' },
            { value: 'split', label: 'Side by side' },
          ]}
        />
        <Text size="xs" c="dimmed">{`- ${props.oldLabel}   + ${props.newLabel}`}</Text>
      </div>
      <div className="diff-frame" tabIndex={0} role="group" aria-label="Changed lines">
        <Diff viewType={view} diffType="modify" hunks={hunks}>
          {(shown) => shown.flatMap((hunk, index) => hunkWithGap(hunk, shown[index - 1]))}
        </Diff>
      </div>
    </section>
  );
}
