import { Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { ApiError } from '../api/api-error.js';
import { useChangeConfig, useConfig, type Setting } from '../api/keeping.js';
import { useKnownSession } from '../api/session.js';
import { visibleText } from '../components/format.js';
import { Command, Page } from '../components/page.js';
import { JsonPair, readableJson } from '../components/json-pair.js';
import { Empty, Failure, QueryState } from '../components/states.js';
import { Table, type Column } from '../components/table.js';
import { Time } from '../components/time.js';

function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'this is no JSON';
  }
}

function EditDialog({ setting, onClose }: { readonly setting: Setting; readonly onClose: () => void }) {
  const [text, setText] = useState(setting.valueJson);
  const change = useChangeConfig();
  const problem = jsonProblem(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem !== undefined) return;
    change.mutate({ key: setting.key, revision: setting.revision, valueJson: text }, { onSuccess: onClose });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Change ${setting.key}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Textarea
            label="Value, as JSON: text stands in double quotes"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={problem}
            minRows={3}
            maxRows={16}
            autosize
            data-autofocus
            classNames={{ input: 'mono' }}
          />
          {text !== setting.valueJson && problem === undefined && (
            <JsonPair oldValue={setting.valueJson} newValue={text} />
          )}
          {change.error !== null && (
            <Failure
              error={change.error}
              what={
                ApiError.from(change.error).status === 409
                  ? 'Somebody else changed it meanwhile; close this and look at it again'
                  : 'It was not changed'
              }
            />
          )}
          <Group gap="xs" justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Leave it
            </Button>
            <Button
              type="submit"
              disabled={problem !== undefined || text === setting.valueJson}
              loading={change.isPending}
            >
              Change
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

const modeKey = 'setting.storage_mode';

function columnsOf(readOnly: boolean, edit: (setting: Setting) => void): readonly Column<Setting>[] {
  return [
    {
      name: 'Key',
      kind: 'words',
      cell: (setting) => <code className="mono">{visibleText(setting.key, 200)}</code>,
    },
    {
      name: 'Value',
      kind: 'words',
      cell: (setting) => <span className="mono">{visibleText(readableJson(setting.valueJson), 400)}</span>,
    },
    { name: 'Changed', cell: (setting) => <Time value={setting.updatedAt} show="both" /> },
    {
      name: 'Change',
      cell: (setting) =>
        setting.key === modeKey ? (
          <Command text="deespec mode set" />
        ) : (
          <Button
            variant="default"
            size="compact-xs"
            disabled={readOnly}
            aria-label={`Change ${visibleText(setting.key, 200)}`}
            onClick={() => edit(setting)}
          >
            Change …
          </Button>
        ),
    },
  ];
}

interface SettingsProps {
  readonly items: readonly Setting[];
  readonly edit: (setting: Setting) => void;
}

function Settings({ items, edit }: SettingsProps) {
  const session = useKnownSession();
  const [words, setWords] = useState('');
  const shown = items.filter(({ key, valueJson }) =>
    `${key} ${valueJson}`.toLowerCase().includes(words.toLowerCase()),
  );
  if (items.length === 0)
    return <Empty title="No setting">The tree has no setting.json and no workflow.</Empty>;
  return (
    <>
      <div className="filters">
        <TextInput
          label="Find"
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          data-page-search
          className="filter-words"
        />
        <Text size="xs" c="dimmed">{`${shown.length} of ${items.length}`}</Text>
      </div>
      <Table
        label="Settings"
        columns={columnsOf(session.readOnly, edit)}
        rows={shown}
        rowKey={(setting) => setting.key}
      />
    </>
  );
}

/** Every setting of the tree; one key is changed at a time, everything else in its file stays as it is. */
export function ConfigPage() {
  const config = useConfig();
  const [editing, setEditing] = useState<Setting>();
  return (
    <Page
      title="Config"
      lead="Keys of setting.json and of the workflow. A change is one edit of one key, and is in the audit log."
    >
      <QueryState query={config} what="the settings">
        {({ items }) => <Settings items={items} edit={setEditing} />}
      </QueryState>
      {editing !== undefined && <EditDialog setting={editing} onClose={() => setEditing(undefined)} />}
    </Page>
  );
}
