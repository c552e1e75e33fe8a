import { Tabs } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useExecutions, useFiles, useSbi } from '../api/sbis.js';
import { sbiViews } from '../app/search.js';
import { visibleText } from '../components/format.js';
import { Page } from '../components/page.js';
import { Loading, QueryState } from '../components/states.js';
import { SbiHead } from './sbi/head.js';
import { StepsView } from './sbi/steps-view.js';

const SpecView = lazy(() => import('./sbi/spec-view.js').then((module) => ({ default: module.SpecView })));
const FilesView = lazy(() => import('./sbi/files-view.js').then((module) => ({ default: module.FilesView })));
const ChangesView = lazy(() =>
  import('./sbi/changes-view.js').then((module) => ({ default: module.ChangesView })),
);
const FieldsView = lazy(() =>
  import('./sbi/fields-view.js').then((module) => ({ default: module.FieldsView })),
);

const route = getRouteApi('/sbis/$id');
type View = (typeof sbiViews)[number];

const labels: Readonly<Record<View, string>> = {
  timeline: 'Timeline',
  changes: 'What changed',
  spec: 'Spec',
  files: 'Files',
  fields: 'Fields',
};

function Views({ id, view }: { readonly id: string; readonly view: View }) {
  const executions = useExecutions(id);
  const files = useFiles(id);
  return (
    <Suspense fallback={<Loading what="this part" />}>
      {view === 'timeline' && (
        <QueryState query={executions} what="the executions">
          {(data) => <StepsView id={id} executions={data.items} isComplete={data.isComplete} />}
        </QueryState>
      )}
      {view === 'changes' && (
        <QueryState query={executions} what="the executions">
          {(data) => <ChangesView id={id} executions={data.items} />}
        </QueryState>
      )}
      {view === 'spec' && (
        <QueryState query={files} what="the files">
          {(data) => <SpecView id={id} files={data.items} />}
        </QueryState>
      )}
      {view === 'files' && (
        <QueryState query={files} what="the files">
          {(data) => <FilesView id={id} files={data.items} count={data.count} />}
        </QueryState>
      )}
      {view === 'fields' && <FieldsView id={id} />}
    </Suspense>
  );
}

/** One SBI: what it is, every step with its text, what changed lately, its specification and files. */
export function SbiPage() {
  const { id } = route.useParams();
  const { view = 'timeline' } = route.useSearch();
  const navigate = route.useNavigate();
  const sbi = useSbi(id);
  const choose = (value: string | null) => {
    const chosen = sbiViews.find((name) => name === value) ?? 'timeline';
    void navigate({ search: (before) => ({ ...before, view: chosen }) });
  };
  return (
    <Page
      title={sbi.data === undefined ? id : visibleText(sbi.data.title || id, 200)}
      lead={<Link to="/sbis">← all SBIs</Link>}
    >
      <QueryState query={sbi} what="the SBI">
        {(data) => (
          <>
            <SbiHead sbi={data} />
            <Tabs value={view} onChange={choose} keepMounted={false} mt="sm">
              <Tabs.List aria-label="Parts of this SBI">
                {sbiViews.map((name) => (
                  <Tabs.Tab key={name} value={name}>
                    {labels[name]}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              <Tabs.Panel value={view} pt="sm">
                <Views id={id} view={view} />
              </Tabs.Panel>
            </Tabs>
          </>
        )}
      </QueryState>
    </Page>
  );
}
