import type { Health } from '../../api/status.js';
import { Mark, type Tone } from '../../components/badges.js';
import { Panel } from '../../components/page.js';
import { Table, type Column } from '../../components/table.js';
import { Time } from '../../components/time.js';

type Check = Health['checks'][number];

const tones: Readonly<Record<string, Tone>> = { ok: 'good', warn: 'attention', fail: 'bad' };
const names: Readonly<Record<string, string>> = { ok: 'ok', warn: 'warning', fail: 'failed' };

const columns: readonly Column<Check>[] = [
  { name: 'Check', cell: (check) => check.name },
  {
    name: 'Standing',
    cell: (check) => <Mark tone={tones[check.status] ?? 'plain'}>{names[check.status] ?? check.status}</Mark>,
  },
  { name: 'Value', kind: 'words', cell: (check) => check.value },
  { name: 'What to do', kind: 'words', cell: (check) => check.fix ?? '' },
];

/** What "deespec health" says: first what is not as it should be, the rest behind a click. */
export function ChecksPanel({ health }: { readonly health: Health }) {
  const open = health.checks.filter((check) => check.status !== 'ok');
  const good = health.checks.filter((check) => check.status === 'ok');
  return (
    <Panel
      title="Checks"
      actions={
        <span className="snippet">
          asked <Time value={health.at} show="age" />
        </span>
      }
    >
      {open.length > 0 && (
        <Table label="Checks that are not ok" columns={columns} rows={open} rowKey={(check) => check.name} />
      )}
      <details open={open.length === 0}>
        <summary>{`${good.length} checks are ok`}</summary>
        <Table label="Checks that are ok" columns={columns} rows={good} rowKey={(check) => check.name} />
      </details>
    </Panel>
  );
}
