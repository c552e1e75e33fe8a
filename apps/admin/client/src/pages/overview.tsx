import { Link } from '@tanstack/react-router';
import { useHealth, useStatus, type Status } from '../api/status.js';
import { Command, Page } from '../components/page.js';
import { QueryState } from '../components/states.js';
import { Verdict } from '../components/verdict.js';
import { ActivityPanels } from './overview/activity.js';
import { ChecksPanel } from './overview/checks.js';
import { FailuresPanel } from './overview/failures.js';
import { BackupPanel, EvidencePanel, ModePanel, SpacePanel, WaitingPanel } from './overview/standing.js';

function NextStep({ status }: { readonly status: Status }) {
  const { text, command } = status.nextStep;
  return (
    <Verdict tone={command === undefined ? 'good' : 'attention'} title={`Next step: ${text}`}>
      {command !== undefined && (
        <div>
          <Command text={command} /> or <Link to="/migration">do it here</Link>
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
