import { Button } from '@mantine/core';
import { useState } from 'react';
import { fileAddress, useFileContent, type SbiFile } from '../../api/sbis.js';
import { formatBytes, formatCount, visibleText } from '../../components/format.js';
import { SaveButton } from '../../components/save-button.js';
import { Empty, QueryState } from '../../components/states.js';
import { Table, type Column } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { ContentView } from './content-view.js';

interface FilesViewProps {
  readonly id: string;
  readonly files: readonly SbiFile[];
  /** All of them; the list may be shorter. */
  readonly count: number;
}

const roles: Readonly<Record<string, string>> = {
  spec: 'specification',
  execution: 'text of a step',
  attachment: 'attachment',
};

function OpenFile({ id, file }: { readonly id: string; readonly file: SbiFile }) {
  const content = useFileContent(id, file.id);
  return (
    <QueryState query={content} what="the file">
      {(data) => (
        <ContentView
          content={data}
          label={visibleText(file.name, 120)}
          address={fileAddress(id, file.id)}
          fileName={file.name}
        />
      )}
    </QueryState>
  );
}

/** Every file of an SBI: attachments, too, which no step names. */
export function FilesView({ id, files, count }: FilesViewProps) {
  const [open, setOpen] = useState<string>();
  const columns: readonly Column<SbiFile>[] = [
    {
      name: 'File',
      kind: 'words',
      cell: (file) => <span className="mono">{visibleText(file.name, 200)}</span>,
    },
    { name: 'What', cell: (file) => (file.kind === 'symlink' ? 'symlink' : (roles[file.role] ?? file.role)) },
    { name: 'Size', kind: 'number', cell: (file) => formatBytes(file.sizeBytes) },
    { name: 'Changed', cell: (file) => <Time value={file.modifiedAt} /> },
    {
      name: 'Open',
      cell: (file) => (
        <span className="nowrap">
          <Button
            variant="default"
            size="compact-xs"
            aria-expanded={open === file.id}
            aria-label={`${open === file.id ? 'Hide' : 'Show'} ${visibleText(file.name, 120)}`}
            onClick={() => setOpen(open === file.id ? undefined : file.id)}
          >
            {open === file.id ? 'Hide' : 'Show'}
          </Button>{' '}
          <SaveButton address={fileAddress(id, file.id)} name={file.name} />
        </span>
      ),
    },
  ];
  if (files.length === 0) return <Empty title="No file">Only the journal knows this SBI.</Empty>;
  return (
    <>
      {count > files.length && (
        <p>{`The first ${formatCount(files.length)} of ${formatCount(count)} files.`}</p>
      )}
      <Table
        label="Files"
        columns={columns}
        rows={files}
        rowKey={(file) => file.id}
        detail={(file) => (open === file.id ? <OpenFile id={id} file={file} /> : undefined)}
      />
    </>
  );
}
