import type { Content } from '../../api/client.js';
import { formatBytes } from '../../components/format.js';
import { SaveButton } from '../../components/save-button.js';
import { Empty } from '../../components/states.js';
import { TextView } from '../../components/text-view.js';

interface ContentViewProps {
  readonly content: Content;
  readonly label: string;
  readonly address: string;
  readonly fileName: string;
}

/** A content of the tree: shown when it is text, offered to be saved when it is not or is too large. */
export function ContentView({ content, label, address, fileName }: ContentViewProps) {
  if (content.text === undefined) {
    return (
      <Empty title={`Not shown: ${formatBytes(content.sizeBytes)}`}>
        These bytes are no UTF-8 text, or too many for a page.{' '}
        <SaveButton address={address} name={fileName} />
      </Empty>
    );
  }
  if (content.text === '') return <Empty title="Empty">The file is there and holds no byte.</Empty>;
  return (
    <TextView
      text={content.text}
      label={label}
      sizeBytes={content.sizeBytes}
      download={address}
      fileName={fileName}
    />
  );
}
