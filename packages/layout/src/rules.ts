import type { Severity } from '@deespec/domain';

/** One rule of the layout, for people: why it exists and what to do about a finding. */
export interface LayoutRule {
  readonly rule: string;
  readonly severity: Severity;
  readonly why: string;
  readonly fix: string;
}

/** Every rule the layout reports. */
export const layoutRules: readonly LayoutRule[] = [];
