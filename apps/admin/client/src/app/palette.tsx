import { Spotlight, spotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useSbiSearch } from '../api/sbis.js';
import { visibleText } from '../components/format.js';
import { pageGroups } from './pages.js';

const pages = pageGroups.flatMap((group) => [...group.pages]);

/** Dialog to go to a page or an SBI by a few letters; loaded when it is first asked for. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const [query, setQuery] = useState('');
  const navigate = useNavigate();
  const found = useSbiSearch(query);
  useEffect(() => spotlight.open(), []);
  const words = query.trim().toLowerCase();
  const matching = pages.filter((page) => `${page.label} ${page.what}`.toLowerCase().includes(words));
  const items = found.data ?? [];
  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      scrollable
      maxHeight={420}
      onSpotlightClose={onClose}
      clearQueryOnClose
    >
      <Spotlight.Search placeholder="Page, words of an SBI, or its id" aria-label="Go to" />
      <Spotlight.ActionsList>
        {matching.map((page) => (
          <Spotlight.Action
            key={page.path}
            label={page.label}
            description={page.what}
            onClick={() => void navigate({ to: page.path })}
          />
        ))}
        {items.map((item) => (
          <Spotlight.Action
            key={item.id}
            label={visibleText(item.title, 100)}
            description={`${item.id} · ${item.status}`}
            onClick={() => void navigate({ to: '/sbis/$id', params: { id: item.id } })}
          />
        ))}
        {matching.length === 0 && items.length === 0 && (
          <Spotlight.Empty>
            {found.isFetching ? 'Searching …' : 'No page and no SBI has these words'}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
