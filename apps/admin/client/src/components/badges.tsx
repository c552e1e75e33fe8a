import { Icon, type IconName } from './icons.js';

/** What a mark says beside its word: nothing special, all is well, look at it, it failed, it goes on. */
export type Tone = 'plain' | 'good' | 'attention' | 'bad' | 'busy';

const icons: Readonly<Record<Tone, IconName>> = {
  plain: 'dot',
  good: 'check',
  attention: 'warning',
  bad: 'cross',
  busy: 'clock',
};

/** A word with a shape and a colour: whoever sees no colours has the other two. */
export function Mark({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span className={`mark mark-${tone}`}>
      <Icon name={icons[tone]} size={12} />
      {children}
    </span>
  );
}

const statusTones: Readonly<Record<string, Tone>> = {
  READY: 'plain',
  WIP: 'busy',
  REVIEW: 'attention',
  'REVIEW&WIP': 'attention',
  DONE: 'good',
};

/** Status of an SBI. */
export function StatusMark({ status }: { readonly status: string }) {
  return <Mark tone={statusTones[status] ?? 'plain'}>{status}</Mark>;
}

const decisionTones: Readonly<Record<string, Tone>> = {
  PENDING: 'plain',
  NEEDS_CHANGES: 'attention',
  SUCCEEDED: 'good',
  OK: 'good',
  FAILED: 'bad',
  FORCE_TERMINATED: 'bad',
};

/** Decision of an execution. */
export function DecisionMark({ decision }: { readonly decision: string }) {
  return <Mark tone={decisionTones[decision] ?? 'plain'}>{decision}</Mark>;
}

const severityTones: Readonly<Record<string, Tone>> = {
  error: 'bad',
  warning: 'attention',
  ok: 'good',
  failed: 'bad',
  verified: 'good',
  unverified: 'attention',
  refused: 'bad',
  damaged: 'bad',
};

/** Severity of a finding, standing of a check or of a backup. */
export function SeverityMark({ severity }: { readonly severity: string }) {
  return <Mark tone={severityTones[severity] ?? 'plain'}>{severity}</Mark>;
}
