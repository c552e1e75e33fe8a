import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { ApiError } from '../api/api-error.js';
import { saveBytes } from '../api/client.js';

interface SaveButtonProps {
  readonly address: string;
  /** Name of the file that the browser proposes. */
  readonly name: string;
  readonly label?: string;
}

/** A file name without what a file system or a shell takes for something else. */
function plainName(name: string): string {
  const plain = name.replace(/[^\w.-]+/gu, '_').replace(/^\.+/u, '_');
  return plain === '' ? 'file' : plain.slice(-120);
}

/** Saves the bytes as they are. */
export function SaveButton({ address, name, label = 'Save' }: SaveButtonProps) {
  const save = useMutation({ mutationFn: () => saveBytes(address, plainName(name)) });
  return (
    <>
      <Button
        variant="default"
        size="compact-xs"
        loading={save.isPending}
        aria-label={label === 'Save' ? `Save ${name}` : label}
        onClick={() => save.mutate()}
      >
        {label}
      </Button>
      {save.error !== null && (
        <span role="alert" className="snippet">
          {`not saved: ${ApiError.from(save.error).message}`}
        </span>
      )}
    </>
  );
}
