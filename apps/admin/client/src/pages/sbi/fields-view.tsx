import { useSbi } from '../../api/sbis.js';
import { visibleText } from '../../components/format.js';
import { Panel } from '../../components/page.js';
import { QueryState } from '../../components/states.js';

/** Every field, and everything else that the files of an SBI say. */
export function FieldsView({ id }: { readonly id: string }) {
  const sbi = useSbi(id);
  return (
    <QueryState query={sbi} what="the fields">
      {({ metadata, snippet: _, ...fields }) => (
        <div className="panels">
          <Panel title="Columns">
            <pre className="value" tabIndex={0} aria-label="Columns as JSON">
              {visibleText(JSON.stringify(fields, null, 2), 50_000)}
            </pre>
          </Panel>
          <Panel title="Metadata">
            <pre className="value" tabIndex={0} aria-label="Metadata as JSON">
              {visibleText(JSON.stringify(metadata, null, 2), 50_000)}
            </pre>
          </Panel>
        </div>
      )}
    </QueryState>
  );
}
