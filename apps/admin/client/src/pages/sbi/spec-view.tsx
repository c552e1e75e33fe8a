import { fileAddress, useFileContent, type SbiFile } from '../../api/sbis.js';
import { Empty, QueryState } from '../../components/states.js';
import { ContentView } from './content-view.js';

/** The specification of an SBI. */
export function SpecView({ id, files }: { readonly id: string; readonly files: readonly SbiFile[] }) {
  const spec = files.find((file) => file.role === 'spec');
  const content = useFileContent(id, spec?.id);
  if (spec === undefined) {
    return (
      <Empty title="There is no spec.md">
        The directory of this SBI holds none; its other files are under “Files”.
      </Empty>
    );
  }
  return (
    <QueryState query={content} what="the specification">
      {(data) => (
        <ContentView
          content={data}
          label="Specification"
          address={fileAddress(id, spec.id)}
          fileName="spec.md"
        />
      )}
    </QueryState>
  );
}
