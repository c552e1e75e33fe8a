import { Button } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Schemas } from '../api/client.js';
import { useFindings, type Rule } from '../api/keeping.js';
import { useStatus } from '../api/status.js';
import { SeverityMark } from '../components/badges.js';
import { formatCount, formatDuration, visibleText } from '../components/format.js';
import { Command, Facts, Page } from '../components/page.js';
import { Empty, QueryState } from '../components/states.js';
import { Table } from '../components/table.js';
import { Verdict } from '../components/verdict.js';

const route = getRouteApi('/findings');
const sbiId = /SBI-[0-9A-Z]{26}/u;

function Entity({ name }: { readonly name: string }) {
  const id = sbiId.exec(name)?.[0];
  const shown = <span className="mono">{visibleText(name, 300)}</span>;
  if (id === undefined) return shown;
  return (
    <Link to="/sbis/$id" params={{ id }}>
      {shown}
    </Link>
  );
}

function RuleView({ rule }: { readonly rule: Rule }) {
  return (
    <>
      <Facts
        rows={[
          ['Why it matters', rule.why],
          ['What to do', rule.fix],
          ...(rule.unchecked === undefined ? [] : [['Not looked at', rule.unchecked] as const]),
        ]}
      />
      {rule.first.length > 0 && (
        <Table
          label={`What breaks ${rule.rule}`}
          rows={rule.first}
          rowKey={(found) => `${found.entity} ${found.found}`}
          columns={[
            { name: 'Id or path', kind: 'words', cell: (found) => <Entity name={found.entity} /> },
            { name: 'Found', kind: 'words', cell: (found) => visibleText(found.found, 300) },
          ]}
        />
      )}
      {rule.count > rule.first.length && (
        <p className="snippet">
          {`The first ${rule.first.length} of ${formatCount(rule.count)}; `}
          <Command text="deespec check --json" /> has all of them.
        </p>
      )}
    </>
  );
}

function RuleRow({ rule, opened }: { readonly rule: Rule; readonly opened: boolean }) {
  return (
    <details className="panel" open={opened}>
      <summary>
        <SeverityMark severity={rule.count === 0 ? 'ok' : rule.severity} /> <strong>{rule.title}</strong>{' '}
        <span className="snippet">{`${rule.rule} · ${rule.unchecked === undefined ? formatCount(rule.count) : 'not looked at'}`}</span>
      </summary>
      <RuleView rule={rule} />
    </details>
  );
}

function Findings({ findings }: { readonly findings: Schemas['FindingsDto'] }) {
  const { rule: opened } = route.useSearch();
  const broken = findings.rules.filter((rule) => rule.count > 0 || rule.unchecked !== undefined);
  const kept = findings.rules.filter((rule) => !broken.includes(rule));
  return (
    <>
      <Verdict
        tone={findings.ok ? 'good' : 'attention'}
        title={
          findings.ok
            ? `All ${findings.rules.length} rules hold`
            : `${formatCount(findings.count)} ${findings.count === 1 ? 'finding breaks' : 'findings break'} ${broken.length} of ${findings.rules.length} rules`
        }
      >
        <div className="snippet">{`Looked at in ${formatDuration(findings.durationMs)}.`}</div>
      </Verdict>
      {broken.map((rule) => (
        <RuleRow key={rule.rule} rule={rule} opened={opened === rule.rule || broken.length <= 3} />
      ))}
      {kept.length > 0 && (
        <details>
          <summary>{`${kept.length} rules hold`}</summary>
          {kept.map((rule) => (
            <RuleRow key={rule.rule} rule={rule} opened={false} />
          ))}
        </details>
      )}
    </>
  );
}

function NoDatabase() {
  return (
    <Empty title="There is no database yet, so there is nothing to look at">
      What breaks a rule in the files is found by a dry run of the migration.{' '}
      <Link to="/migration">Make one</Link>: it changes nothing.
    </Empty>
  );
}

function Asked() {
  const findings = useFindings();
  return (
    <>
      <div className="text-tools">
        <Button variant="default" loading={findings.isFetching} onClick={() => void findings.refetch()}>
          Look again
        </Button>
        <span className="snippet">A large tree takes a minute.</span>
      </div>
      <QueryState query={findings} what="the findings">
        {(data) => <Findings findings={data} />}
      </QueryState>
    </>
  );
}

/** What breaks a rule, by rule: why the rule is there, which ids, and what to do. */
export function FindingsPage() {
  const status = useStatus();
  return (
    <Page
      title="Findings"
      lead={
        <>
          Whether the database contradicts itself or the files. The same in a terminal:{' '}
          <Command text="deespec check" />
        </>
      }
    >
      <QueryState query={status} what="where the tree stands">
        {(data) => (data.database.state === 'ours' ? <Asked /> : <NoDatabase />)}
      </QueryState>
    </Page>
  );
}
