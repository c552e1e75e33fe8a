import { Link } from '@tanstack/react-router';
import { useHealth, useStatus, type Status } from '../api/status.js';
import { Command, Page } from '../components/page.js';
import { QueryState } from '../components/states.js';
import { Verdict } from '../components/verdict.js';
import { ActivityPanels } from './overview/activity.js';
import { ChecksPanel } from './overview/checks.js';
import { FailuresPanel } from './overview/failures.js';
import { BackupPanel, EvidencePanel, ModePanel, SpacePanel, WaitingPanel } from './overview/standing.js';

/** The page where a command can be done as well; `undefined` when none does it. */
function pageOf(command: string) {
  const verb = /^deespec (?<verb>[a-z]+)/u.exec(command)?.groups?.['verb'] ?? '';
  if (verb === 'conflict') return '/conflicts';
  if (verb === 'quarantine') return '/quarantine';
  if (verb === 'backup' || verb === 'restore') return '/backups';
  if (verb === 'check') return '/findings';
  const isWay = ['migrate', 'cutover', 'rollback', 'rehearse', 'verify', 'sync'].includes(verb);
  return isWay ? '/migration' : undefined;
}

function NextStep({ status }: { readonly status: Status }) {
  const { text, command } = status.nextStep;
  const page = command === undefined ? undefined : pageOf(command);
  return (
    <Verdict tone={command === undefined ? 'good' : 'attention'} title={`Next step: ${text}`}>
      {command !== undefined && (
        <div>
          <Command text={command} />
          {page !== undefined && (
            <>
              {' or '}
              <Link to={page}>do it here</Link>
            </>
          )}
        </div>
      )}
    </Verdict>
  );
}

/** Where the tree stands at a glance: what to do next, which store counts, what waits, what failed, what was done. */
export function OverviewPage() {
  const status = useStatus();
  const health = useHealth();
  return (
    <Page title="Overview" lead="Where this tree stands, what waits for somebody, and what was done lately.">
      <QueryState query={status} what="where the tree stands">
        {(data) => (
          <>
            <NextStep status={data} />
            <div className="panels">
              <ModePanel status={data} />
              <EvidencePanel status={data} />
              <BackupPanel status={data} />
              <WaitingPanel status={data} />
              <SpacePanel status={data} numbers={health.data?.numbers} />
            </div>
          </>
        )}
      </QueryState>
      <FailuresPanel />
      <ActivityPanels />
      <QueryState query={health} what="the checks">
        {(data) => <ChecksPanel health={data} />}
      </QueryState>
    </Page>
  );
}
