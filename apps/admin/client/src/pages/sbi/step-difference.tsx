import { useFileContent, type Execution } from '../../api/sbis.js';
import { Difference } from '../../components/difference.js';
import { Empty, QueryState } from '../../components/states.js';
import { stepLabel } from './step-view.js';

interface StepDifferenceProps {
  readonly id: string;
  readonly older: Execution;
  readonly newer: Execution;
}

/** What changed in the text of a step from one turn to another. */
export function StepDifference({ id, older, newer }: StepDifferenceProps) {
  const before = useFileContent(id, older.fileId);
  const after = useFileContent(id, newer.fileId);
  return (
    <QueryState query={before} what={stepLabel(older)}>
      {(oldContent) => (
        <QueryState query={after} what={stepLabel(newer)}>
          {(newContent) =>
            oldContent.text === undefined || newContent.text === undefined ? (
              <Empty title="No difference to show">One of the two is no text, or too large.</Empty>
            ) : (
              <Difference
                oldText={oldContent.text}
                newText={newContent.text}
                oldLabel={stepLabel(older)}
                newLabel={stepLabel(newer)}
              />
            )
          }
        </QueryState>
      )}
    </QueryState>
  );
}
