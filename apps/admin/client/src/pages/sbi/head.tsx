import type { Schemas } from '../../api/client.js';
import { useExecutions } from '../../api/sbis.js';
import { DecisionMark, StatusMark } from '../../components/badges.js';
import { CopyButton } from '../../components/copy-button.js';
import { visibleText } from '../../components/format.js';
import { Time } from '../../components/time.js';

/** What an SBI is and how its last step ended, in a few lines. */
export function SbiHead({ sbi }: { readonly sbi: Schemas['SbiDetailDto'] }) {
  const executions = useExecutions(sbi.id).data;
  const last = executions?.isComplete === true ? executions.items.at(-1) : undefined;
  return (
    <div className="sbi-head">
      <span>
        <code className="mono">{sbi.id}</code>
        <CopyButton text={sbi.id} label="Copy id" compact />
      </span>
      <StatusMark status={sbi.status} />
      <span>{`priority ${sbi.priority}`}</span>
      {sbi.labels.length > 0 && <span>{`labels ${visibleText(sbi.labels.join(', '), 200)}`}</span>}
      <span>
        created <Time value={sbi.createdAt} />
      </span>
      <span>
        changed <Time value={sbi.updatedAt} show="both" />
      </span>
      {sbi.completedAt !== undefined && (
        <span>
          completed <Time value={sbi.completedAt} />
        </span>
      )}
      {last !== undefined && (
        <span>
          {`last step: ${visibleText(last.step, 40)}, run ${last.run}, turn ${last.turn} `}
          <DecisionMark decision={last.decision} />
          {last.error !== undefined && (
            <span className="error-words">{` ${visibleText(last.error, 200)}`}</span>
          )}
        </span>
      )}
    </div>
  );
}
