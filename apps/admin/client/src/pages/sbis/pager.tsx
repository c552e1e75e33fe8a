import { Button, Text } from '@mantine/core';
import { formatCount } from '../../components/format.js';

interface PagerProps {
  readonly shown: number;
  /** Where the next page begins; absent on the last one. */
  readonly next: string | undefined;
  readonly hasPrevious: boolean;
  readonly onNext: (cursor: string) => void;
  readonly onPrevious: () => void;
}

/** To the next page and back. A page begins after the last row of the one before, whatever was added meanwhile. */
export function Pager({ shown, next, hasPrevious, onNext, onPrevious }: PagerProps) {
  return (
    <nav className="pager" aria-label="Pages of the list">
      <Button variant="default" disabled={!hasPrevious} onClick={onPrevious}>
        Previous page
      </Button>
      <Button
        variant="default"
        disabled={next === undefined}
        onClick={() => {
          if (next !== undefined) onNext(next);
        }}
      >
        Next page
      </Button>
      <Text size="xs" c="dimmed">
        {`${formatCount(shown)} ${shown === 1 ? 'row' : 'rows'}${next === undefined ? ', no more follow' : ', more follow'}`}
      </Text>
    </nav>
  );
}
