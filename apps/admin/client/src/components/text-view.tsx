import { Group, SegmentedControl, Text } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { Boundary } from './boundary.js';
import { CopyButton } from './copy-button.js';
import { formatBytes } from './format.js';
import { RawText } from './raw-text.js';
import { SaveButton } from './save-button.js';
import { Loading } from './states.js';

const Markdown = lazy(() => import('./markdown.js').then((module) => ({ default: module.Markdown })));

/** Above this many characters Markdown is rendered only when somebody asks for it: it takes the browser seconds. */
const renderLimit = 300_000;

interface TextViewProps {
  readonly text: string;
  /** "implement, turn 2": the name of the region and of what is copied. */
  readonly label: string;
  readonly sizeBytes: number;
  /** Address of the bytes as they are, as a download. */
  readonly download?: string | undefined;
  /** Name of the file that is saved; default `text.md`. */
  readonly fileName?: string;
}

/** A text that an agent wrote: rendered as Markdown or as it is, to be copied or saved. */
export function TextView({ text, label, sizeBytes, download, fileName = 'text.md' }: TextViewProps) {
  const long = text.length > renderLimit;
  const [view, setView] = useState<'rendered' | 'raw'>(long ? 'raw' : 'rendered');
  const raw = <RawText text={text} label={`${label}, as it is`} />;
  return (
    <section aria-label={`Text: ${label}`} className="text-view">
      <h2 className="visually-hidden">{`Text: ${label}`}</h2>
      <Group gap="xs" className="text-tools">
        <SegmentedControl
          size="xs"
          aria-label="How the text is shown"
          value={view}
          onChange={(value) => setView(value === 'raw' ? 'raw' : 'rendered')}
          data={[
            { value: 'rendered', label: 'Rendered' },
            { value: 'raw', label: 'Raw' },
          ]}
        />
        <CopyButton text={text} label="Copy text" />
        {download !== undefined && <SaveButton address={download} name={fileName} />}
        <Text size="xs" c="dimmed">
          {formatBytes(sizeBytes)}
          {long && view === 'raw' ? '; long: rendering it takes a while' : ''}
        </Text>
      </Group>
      {view === 'raw' ? (
        raw
      ) : (
        <Boundary
          fallback={() => (
            <>
              <Text size="sm">This text cannot be rendered as Markdown. It is shown as it is.</Text>
              {raw}
            </>
          )}
        >
          <Suspense fallback={<Loading what="the text" />}>
            <Markdown text={text} />
          </Suspense>
        </Boundary>
      )}
    </section>
  );
}
