import { Alert, Button, Code, Group, Loader, Stack, Text } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiError } from '../api/api-error.js';

/** Shown while something is fetched; not before 150 ms have passed, because a flash says nothing. */
export function Loading({ what }: { readonly what: string }) {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setVisible(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Group role="status" gap="xs" className="state">
      {visible && <Loader size="xs" aria-hidden="true" />}
      <Text size="sm" c="dimmed">{`Reading ${what} …`}</Text>
    </Group>
  );
}

interface EmptyProps {
  readonly title: string;
  /** Why it is so, and what to do next. */
  readonly children?: ReactNode;
}

/** There is nothing; says why that is so and what to do. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <Stack gap={4} className="state" role="status">
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text size="sm" c="dimmed" component="div">
          {children}
        </Text>
      )}
    </Stack>
  );
}

interface FailureProps {
  readonly error: unknown;
  /** What was tried: "The list could not be read". */
  readonly what: string;
  readonly retry?: (() => void) | undefined;
}

/** Something failed: what, which code, and what to do next, in the words of the server. */
export function Failure({ error, what, retry }: FailureProps) {
  const known = ApiError.from(error);
  return (
    <Alert className="failure" variant="default" title={what} role="alert">
      <Stack gap="xs">
        <Text size="sm">{known.message}</Text>
        {known.hint !== undefined && <Text size="sm">{known.hint}</Text>}
        <Group gap="xs">
          <Code>{known.code}</Code>
          {known.requestId !== undefined && <Text size="xs" c="dimmed">{`request ${known.requestId}`}</Text>}
          {retry !== undefined && (
            <Button variant="default" onClick={retry}>
              Try again
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}

interface QueryStateProps<T> {
  readonly query: { readonly data: T | undefined; readonly error: unknown; refetch(): unknown };
  /** "the list of SBIs". */
  readonly what: string;
  readonly children: (data: T) => ReactNode;
}

/** Data when there are some; else what is being read, or why it could not be. What is on the page stays when a renewal fails. */
export function QueryState<T>({ query, what, children }: QueryStateProps<T>) {
  const failure = query.error !== null && query.error !== undefined && (
    <Failure error={query.error} what={`Reading ${what} failed`} retry={() => void query.refetch()} />
  );
  if (query.data === undefined) return failure === false ? <Loading what={what} /> : failure;
  return (
    <>
      {failure}
      {children(query.data)}
    </>
  );
}
