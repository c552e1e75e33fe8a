import { Button, Select, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { SbiQuery } from '../../api/sbis.js';
import { statuses } from '../../app/search.js';

interface FiltersProps {
  readonly search: Partial<SbiQuery>;
  readonly onChange: (changes: Partial<SbiQuery>) => void;
  /** True when any of them is set. */
  readonly filtered: boolean;
}

const sorts = [
  { value: 'updated desc', label: 'changed last' },
  { value: 'created desc', label: 'newest' },
  { value: 'created asc', label: 'oldest' },
  { value: 'next asc', label: 'next to be taken' },
  { value: 'priority asc', label: 'priority' },
  { value: 'status asc', label: 'status' },
];

/** A field whose text goes into the address a moment after the last letter. */
function useDelayed(value: string, onChange: (value: string) => void) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), 250);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return [text, setText] as const;
}

const none = (text: string) => (text.trim() === '' ? undefined : text) as string;

/** Words, status, label and order of the list. */
export function Filters({ search, onChange, filtered }: FiltersProps) {
  const [words, setWords] = useDelayed(search.search ?? '', (text) => onChange({ search: none(text) }));
  const [label, setLabel] = useDelayed(search.label ?? '', (text) => onChange({ label: none(text) }));
  const order = `${search.sort ?? 'updated'} ${search.order ?? (search.sort === undefined ? 'desc' : 'asc')}`;
  return (
    <search className="filters">
      <TextInput
        label="Search"
        placeholder="words of title, spec or step texts"
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        className="filter-words"
        data-page-search
        type="search"
        maxLength={1000}
      />
      <Select
        label="Status"
        placeholder="any"
        data={[...statuses]}
        value={search.status ?? null}
        onChange={(status) => onChange({ status: (status ?? undefined) as NonNullable<SbiQuery['status']> })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any status' }}
        w={130}
      />
      <TextInput
        label="Label"
        placeholder="any"
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
        w={130}
        maxLength={200}
      />
      <Select
        label="Order"
        data={sorts.some(({ value }) => value === order) ? sorts : [...sorts, { value: order, label: order }]}
        value={order}
        allowDeselect={false}
        onChange={(value) => {
          const [sort, direction] = (value ?? 'updated desc').split(' ');
          onChange({
            sort: sort as NonNullable<SbiQuery['sort']>,
            order: direction === 'desc' ? 'desc' : 'asc',
          });
        }}
        w={150}
      />
      {filtered && (
        <Button
          variant="subtle"
          onClick={() => onChange({ status: undefined, label: undefined, search: undefined } as object)}
        >
          Show all
        </Button>
      )}
    </search>
  );
}
