import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Failure } from './states.js';

interface TypedConfirmationProps {
  readonly opened: boolean;
  readonly title: string;
  /** What will happen, and what stays. */
  readonly children: ReactNode;
  /** The word to type, such as the name of the tree. */
  readonly word: string;
  /** Name of the button: "Roll back". */
  readonly action: string;
  readonly busy: boolean;
  readonly error?: unknown;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** A dialog that lets a dangerous action through only when its word was typed. */
export function TypedConfirmation(props: TypedConfirmationProps) {
  const [typed, setTyped] = useState('');
  const close = () => {
    setTyped('');
    props.onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed === props.word) props.onConfirm();
  };
  return (
    <Modal
      opened={props.opened}
      onClose={close}
      title={props.title}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          {props.children}
          <TextInput
            label={
              <>
                Type <code className="command">{props.word}</code> to go on
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
          {props.error !== undefined && props.error !== null && (
            <Failure error={props.error} what={`${props.action} was refused`} />
          )}
          <Group gap="xs" justify="flex-end">
            <Button variant="default" onClick={close}>
              Leave it
            </Button>
            <Button type="submit" color="red" disabled={typed !== props.word} loading={props.busy}>
              {props.action}
            </Button>
          </Group>
          {typed !== props.word && (
            <Text size="xs" c="dimmed">
              The button works when the word is typed as it stands there.
            </Text>
          )}
        </Stack>
      </form>
    </Modal>
  );
}
